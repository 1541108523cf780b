//! Every list of the API is asked for, ordered, paged and counted in the same way.

use crate::{
    client::{ADMIN, Answer, Client},
    sql,
};
use anyhow::{Context, Result, ensure};
use pm_api::{
    Criticality, Priority, Role, Severity, Timestamp,
    list::SortWord,
    sort::{
        AlarmNoticeSort, AlarmRuleSort, AlarmSort, ApiKeySort, AttachmentSort, AuditSort, BacktestSort,
        CommentSort, DeadLetterSort, DeliverySort, DriftSort, EscalationChainSort, HistorySort, JobSort,
        MachineSort, MaintenanceWindowSort, MappingSort, ModelSort, NoticeChannelSort, OnCallScheduleSort,
        PredictionSort, ReadingSort, ReportScheduleSort, ReportSort, RoleSort, SensorSort, SessionSort,
        SettingSort, SuppressedSort, TicketSort, UserSort, WaveformSort, WebhookSort,
    },
};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::{cmp::Ordering, collections::BTreeSet};

/// Several rows in every list. Some share their sort key, so that their ids order them.
const ROWS: &str = include_str!("lists.sql");

/// A list: its path in the API's description, where the test finds it, and its vocabulary.
struct List {
    path: &'static str,
    at: &'static str,
    words: &'static [&'static str],
    descending: bool,
    /// Is a page that begins with the greatest answered from its end?
    reversed: bool,
}

fn list<S: SortWord>(path: &'static str, at: &'static str) -> List {
    List { path, at, words: S::WORDS, descending: S::DESCENDING, reversed: false }
}

/// The id that `lists.sql` gives to one machine, sensor, alarm, ticket, prediction, webhook and account.
const SUBJECT: &str = "00000000-0000-7000-8000-000000000001";

fn lists() -> Vec<List> {
    vec![
        list::<DeadLetterSort>("/mqtt/dead-letters", ""),
        list::<UserSort>("/users", ""),
        list::<SessionSort>("/users/me/sessions", ""),
        list::<SessionSort>("/users/{user_id}/sessions", "/users/ID/sessions"),
        list::<ApiKeySort>("/users/me/api-keys", ""),
        list::<ApiKeySort>("/users/{user_id}/api-keys", "/users/ID/api-keys"),
        list::<MachineSort>("/machines", ""),
        list::<AlarmSort>("/machines/{machine_id}/alarms", "/machines/ID/alarms"),
        List {
            reversed: true,
            ..list::<PredictionSort>("/machines/{machine_id}/predictions", "/machines/ID/predictions")
        },
        list::<ReadingSort>("/machines/{machine_id}/sensor-data", "/machines/ID/sensor-data"),
        list::<ReadingSort>("/history/machines/{machine_id}/sensor-data", "/history/machines/ID/sensor-data"),
        list::<PredictionSort>(
            "/history/machines/{machine_id}/predictions",
            "/history/machines/ID/predictions",
        ),
        list::<ReadingSort>("/history/sensors/{sensor_id}", "/history/sensors/ID"),
        list::<SensorSort>("/sensors", ""),
        list::<WaveformSort>("/sensors/{sensor_id}/waveforms", "/sensors/ID/waveforms"),
        list::<ReadingSort>("/sensor-data", ""),
        list::<ReadingSort>("/sensor-data/logs", ""),
        list::<PredictionSort>("/predictions", ""),
        list::<AlarmSort>("/alarms", ""),
        list::<HistorySort>("/alarms/{alarm_id}/history", "/alarms/ID/history"),
        list::<AlarmSort>("/alarms/{alarm_id}/similar", "/alarms/ID/similar"),
        list::<AlarmSort>("/alarms/prediction/{prediction_id}", "/alarms/prediction/ID"),
        list::<AlarmRuleSort>("/alarm-rules", ""),
        list::<BacktestSort>("/backtests", ""),
        list::<MaintenanceWindowSort>("/maintenance-windows", ""),
        list::<SuppressedSort>("/suppressed-conditions", ""),
        list::<OnCallScheduleSort>("/on-call/schedules", ""),
        list::<EscalationChainSort>("/escalation-chains", ""),
        list::<NoticeChannelSort>("/notice-channels", ""),
        list::<AlarmNoticeSort>("/alarm-notices", ""),
        list::<AlarmNoticeSort>("/alarms/{alarm_id}/notices", "/alarms/ID/notices"),
        list::<AttachmentSort>("/attachments", ""),
        list::<AttachmentSort>("/alarms/{alarm_id}/attachments", "/alarms/ID/attachments"),
        list::<AttachmentSort>("/tickets/{ticket_id}/attachments", "/tickets/ID/attachments"),
        list::<CommentSort>("/alarms/{alarm_id}/comments", "/alarms/ID/comments"),
        list::<CommentSort>("/tickets/{ticket_id}/comments", "/tickets/ID/comments"),
        list::<TicketSort>("/tickets", ""),
        list::<HistorySort>("/tickets/{ticket_id}/history", "/tickets/ID/history"),
        list::<ReportSort>("/reports", ""),
        list::<ReportScheduleSort>("/reports/schedules", ""),
        list::<RoleSort>("/roles", ""),
        list::<SettingSort>("/settings", ""),
        list::<JobSort>("/jobs", ""),
        list::<AuditSort>("/audit/logs", ""),
        list::<WebhookSort>("/webhooks", ""),
        list::<MappingSort>("/mappings", ""),
        list::<DeliverySort>("/webhooks/{webhook_id}/deliveries", "/webhooks/ID/deliveries"),
        list::<ModelSort>("/ai/models", ""),
        list::<AuditSort>("/ai/logs", ""),
        list::<DriftSort>("/ai/drift", ""),
    ]
}

impl List {
    fn url(&self, query: &str) -> String {
        let at = if self.at.is_empty() { self.path } else { self.at };
        format!("{}?{query}", at.replace("ID", SUBJECT))
    }

    async fn page(&self, client: &Client, query: &str, descending: bool) -> Result<(Vec<Value>, Answer)> {
        let answer = client.get(&self.url(query)).await?;
        let Value::Array(mut rows) = answer.expect(200).context(self.url(query))? else {
            anyhow::bail!("{query}: no list")
        };
        if self.reversed && descending {
            rows.reverse();
        }
        Ok((rows, answer))
    }

    async fn refused(&self, client: &Client, query: &str) -> Result<()> {
        let refused = client.get(&self.url(query)).await?.expect(422).context(self.url(query))?;
        let name = query.rsplit('&').next().and_then(|q| q.split('=').next());
        ensure!(refused["errors"][0]["loc"] == json!(["query", name]), "{query}: {refused}");
        Ok(())
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).and_then(|v| v.to_str().ok())
}

#[tokio::test]
async fn every_list_is_ordered_paged_and_counted_in_the_same_way() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    sql::connect(stack.db()).await?.batch_execute(ROWS).await?;
    // the first look at the models registers those that came with the program
    client.get("/ai/models").await?.expect(200)?;
    for list in lists() {
        check(&client, &list).await.context(list.path)?;
    }
    Ok(())
}

async fn check(client: &Client, list: &List) -> Result<()> {
    let default = list.words[0];
    for word in list.words {
        let mut both = Vec::new();
        for descending in [false, true] {
            let sort = if descending { format!("sort=-{word}") } else { format!("sort={word}") };
            let (whole, answer) = list.page(client, &format!("{sort}&limit=1000"), descending).await?;
            let total = whole.len().to_string();
            ensure!(whole.len() >= 5, "{sort}: only {total} rows");
            ensure!(header(&answer, "x-total-count") == Some(&total), "{sort}: {:?}", answer.headers);
            ensure!(header(&answer, "x-next-cursor").is_none(), "{sort}: {:?}", answer.headers);
            ordered(&whole, word, descending).context(sort.clone())?;

            // by cursor to the end
            let (mut walked, mut cursor) = (Vec::new(), String::new());
            loop {
                let (rows, answer) =
                    list.page(client, &format!("{sort}&limit=3{cursor}"), descending).await?;
                ensure!(header(&answer, "x-total-count") == Some(&total), "{sort}: {:?}", answer.headers);
                walked.extend(rows);
                match header(&answer, "x-next-cursor") {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            ensure!(walked == whole, "{sort}: {walked:#?} instead of {whole:#?}");

            // by offset, and beyond the end
            let (rows, _) = list.page(client, &format!("{sort}&limit=2&offset=3"), descending).await?;
            ensure!(rows == whole[3..5], "{sort}: {rows:#?}");
            let (rows, answer) = list.page(client, &format!("{sort}&offset=100000"), descending).await?;
            ensure!(rows.is_empty() && header(&answer, "x-total-count") == Some(&total), "{sort}: beyond");

            // the other spellings
            let direction = if descending { "desc" } else { "asc" };
            let mut others = vec![format!("sort_by={word}&sort={direction}")];
            if descending == list.descending {
                others.push(format!("sort_by={word}"));
            }
            if *word == default {
                others.push(format!("sort={direction}"));
                if descending == list.descending {
                    others.push(String::new());
                }
            }
            for other in others {
                let (rows, _) = list.page(client, &format!("{other}&limit=1000"), descending).await?;
                ensure!(rows == whole, "{other} is another order than {sort}");
            }
            both.push(whole);
        }
        both[1].reverse();
        ensure!(both[0] == both[1], "{word}: one direction is not the other's reverse");
    }
    let (_, first) = list.page(client, &format!("sort={default}&limit=2"), false).await?;
    let cursor = header(&first, "x-next-cursor").context("no cursor")?;
    list.refused(client, &format!("sort=-{default}&cursor={cursor}")).await?;
    for other in &list.words[1..] {
        list.refused(client, &format!("sort={other}&cursor={cursor}")).await?;
    }
    let foreign = if list.path == "/users" { "/machines" } else { "/users" };
    let foreign = client.get(&format!("{foreign}?limit=1")).await?;
    let foreign = header(&foreign, "x-next-cursor").context("no cursor")?;
    list.refused(client, &format!("cursor={foreign}")).await?;
    for query in ["cursor=x", "sort=banana", "sort_by=banana", "limit=0", "limit=1001", "offset=-1"] {
        list.refused(client, query).await?;
    }
    list.refused(client, &format!("sort_by={default}&sort=-{default}")).await
}

/// Are the rows in the order of the field that is named like the word, if they have one?
fn ordered(rows: &[Value], word: &str, descending: bool) -> Result<()> {
    for pair in rows.windows(2) {
        let (a, b) =
            if descending { (&pair[1][word], &pair[0][word]) } else { (&pair[0][word], &pair[1][word]) };
        ensure!(compare(word, a, b) != Some(Ordering::Greater), "{a} before {b}");
    }
    Ok(())
}

fn compare(word: &str, a: &Value, b: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) {
        return a.partial_cmp(&b);
    }
    let (a, b) = (a.as_str()?, b.as_str()?);
    let ranks = match word {
        "severity" => Severity::WORDS,
        "priority" => Priority::WORDS,
        "criticality" => Criticality::WORDS,
        "role" => Role::WORDS,
        _ => {
            let times = a.parse::<Timestamp>().ok().zip(b.parse::<Timestamp>().ok());
            return Some(times.map_or_else(|| a.cmp(b), |(a, b)| a.cmp(&b)));
        }
    };
    let rank = |text: &str| ranks.iter().position(|word| *word == text);
    Some(rank(a).cmp(&rank(b)))
}

#[test]
fn every_list_of_the_description_is_walked() {
    let document = pm_openapi::document();
    let described = document["paths"].as_object().into_iter().flatten().filter(|(_, item)| {
        item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    });
    let described: BTreeSet<_> = described.map(|(path, _)| path.as_str()).collect();
    let mut walked: BTreeSet<_> = lists().iter().map(|list| list.path).collect();
    // the permissions of one role: a field of it, not a list of rows
    walked.insert("/roles/{role_id}/permissions");
    // counts by topic and reason, the providers of a setting, the sensors of one machine, people, the shifts of a span, the bearings
    // that came with the program, the elements of a machine: whole, without pages
    walked.extend([
        "/mqtt/dead-letters/groups",
        "/users/sign-in/providers",
        "/machines/{machine_id}/references",
        "/on-call/people",
        "/bearings",
        "/machines/{machine_id}/elements",
        "/on-call/schedules/{schedule_id}/shifts",
    ]);
    assert_eq!(described, walked);
}

#[tokio::test]
async fn a_text_is_found_in_any_case_and_means_only_itself() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    sql::connect(stack.db()).await?.batch_execute(ROWS).await?;
    for path in ["/users", "/machines", "/sensors", "/alarms", "/tickets", "/audit/logs"] {
        for name in ["q", "search"] {
            for (text, found) in [("100%25_SURE", 1), ("100%25%25sure", 0), ("1__%25", 0), ("%5C%5C", 0)] {
                let url = format!("{path}?{name}={text}&limit=1");
                let answer = client.get(&url).await?;
                answer.expect(200)?;
                let total: usize = header(&answer, "x-total-count").context("no total")?.parse()?;
                // what was written to one of the others is in the audit log
                let fits = if path == "/audit/logs" && found > 0 { total >= found } else { total == found };
                ensure!(fits, "{url}: {total}");
            }
            let long = "x".repeat(201);
            for text in ["%00", &long] {
                let refused = client.get(&format!("{path}?{name}={text}")).await?.expect(422)?;
                ensure!(refused["errors"][0]["loc"] == json!(["query", name]), "{path}: {refused}");
            }
        }
    }
    Ok(())
}
