//! When the periodic tasks of `pm_domain::clock` are due, and which of them fail.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{ints, texts},
};
use pm_domain::clock::{CLOCK_STEP_S, RETRY_AFTER_S, SHOWN_FOR_S, Task};

statements! {
    CLAIM = "
        insert into clock_tasks as t (task, due_at)
        select task, now() + interval_s * interval '1 second' from unnest($1::text[], $2::int8[]) i (task, interval_s)
        on conflict (task) do update set due_at = excluded.due_at
        where t.due_at <= now() or t.due_at > excluded.due_at + $3::int8 * interval '1 second'
        returning task";
    FAILED = "
        insert into clock_tasks as t (task, due_at, failed_at)
        select task, now(), now() from unnest($1::text[]) task
        on conflict (task) do update set
            failed_at = excluded.failed_at, due_at = least(t.due_at, now() + $2::int8 * interval '1 second')";
    FAILING = "
        select task from clock_tasks where failed_at > now() - $1::int8 * interval '1 second' order by task";
}

/// Which of these tasks are due now? They count as run: the next caller finds them due after their interval.
pub async fn claim(db: &Db, tasks: &[Task]) -> Result<Vec<Task>, StoreError> {
    let params = vec![
        texts(tasks.iter().map(|t| t.name())),
        ints(tasks.iter().map(|t| t.interval_s())),
        CLOCK_STEP_S.into(),
    ];
    let due: Vec<String> = db.rows(CLAIM, params, |c| c.take()).await?;
    Ok(tasks.iter().copied().filter(|task| due.iter().any(|name| name == task.name())).collect())
}

/// Stores that tasks failed just now.
pub async fn failed(db: &Db, tasks: &[Task]) -> Result<(), StoreError> {
    let params = vec![texts(tasks.iter().map(|t| t.name())), RETRY_AFTER_S.into()];
    db.execute(FAILED, params).await.map(drop)
}

/// Names of the tasks that failed a short time ago.
pub async fn failing(db: &Db) -> Result<Vec<String>, StoreError> {
    db.rows(FAILING, vec![SHOWN_FOR_S.into()], |c| c.take()).await
}
