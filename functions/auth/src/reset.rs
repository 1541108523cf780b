//! Forgotten passwords and invitations: a mailed link with a token that works once, for a limited time. The token stands in
//! the fragment of the address, which browsers send to no server.

use crate::{
    password,
    throttled::{AttemptLimits, count},
};
use pm_api::{UserId, route::op, user::Message};
use pm_domain::{
    duration::{DAY_S, MINUTE_S},
    mail,
    password::Owner,
    settings::Key,
    throttle::MAX_RESET_MAILS_PER_ACCOUNT,
};
use pm_store::{
    Actor, Db,
    audit::Origin,
    mail::{NewMail, enqueue},
    password_reset::{self, INVITATION_VALID_S, TokenState, VALID_S},
    setting,
};
use pm_web::{Input, Refusal, log_error, spawn};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Page of the web interface that takes the token.
const PAGE: &str = "/app/reset-password";

/// `POST /users/password-reset/request`. The account is looked for after the answer was given, so neither the answer nor
/// its time tells whether there is one.
pub(crate) async fn request(input: Input<op::RequestPasswordReset>) -> Result<Message, Refusal> {
    let db = input.db().await?;
    let limits = AttemptLimits::of_reset(&input);
    limits.check(&db).await?;
    limits.count(&db).await?;
    let (origin, email) = (input.origin(), input.body.email.trim().to_owned());
    spawn(async move {
        if let Err(error) = send_link(&db, &origin, &email).await {
            log_error(&format!("no link to reset a password was sent: {error:?}"));
        }
    });
    Ok(message("If the email exists, a reset link has been sent"))
}

async fn send_link(db: &Db, origin: &Origin, email: &str) -> Result<(), Refusal> {
    let key = format!("reset-account:{email}");
    if count(db, &key, i32::MAX).await?.count > MAX_RESET_MAILS_PER_ACCOUNT {
        return Ok(());
    }
    let token = Uuid::new_v4().to_string();
    let Some(to) = password_reset::begin(db, origin, email, &hash(&token)).await? else { return Ok(()) };
    let link = link(db, &token).await?;
    let words = mail::password_reset(to.full_name.as_deref(), &link, VALID_S / MINUTE_S);
    let mail = NewMail { valid_for_s: VALID_S, ..NewMail::new("password_reset", &to.email, &words) };
    enqueue(db, &mail).await?;
    Ok(())
}

/// Mails a link to a new account with which its person chooses a password. False: it is not active, has a password, or is
/// one of programs.
pub(crate) async fn invite(db: &Db, actor: &Actor, user_id: UserId) -> Result<bool, Refusal> {
    let token = Uuid::new_v4().to_string();
    let Some(to) = password_reset::invite(db, actor, user_id, &hash(&token)).await? else { return Ok(false) };
    let words =
        mail::invitation(to.full_name.as_deref(), &link(db, &token).await?, INVITATION_VALID_S / DAY_S);
    let mail = NewMail { valid_for_s: INVITATION_VALID_S, ..NewMail::new("invitation", &to.email, &words) };
    enqueue(db, &mail).await?;
    Ok(true)
}

async fn link(db: &Db, token: &str) -> Result<String, Refusal> {
    let settings = setting::read(db, &[Key::GeneralPublicUrl]).await?;
    let base = settings.text(Key::GeneralPublicUrl).trim_end_matches('/');
    Ok(format!("{base}{PAGE}#token={token}"))
}

/// `POST /users/password-reset/confirm`: ends all logins of the account.
pub(crate) async fn confirm(input: Input<op::ConfirmPasswordReset>) -> Result<Message, Refusal> {
    let db = input.db().await?;
    let limits = AttemptLimits::of_reset(&input);
    limits.check(&db).await?;
    let new = &input.body.new_password;
    let token = hash(input.body.token.trim());
    let refuse = |text: &str| Err(Refusal::BadRequest(text.to_owned()));
    match password_reset::state(&db, &token).await? {
        TokenState::Good(of) => {
            let owner = Owner { email: &of.email, full_name: of.full_name.as_deref() };
            let settings = setting::read(&db, &[Key::PasswordMinLength]).await?;
            password::check("new_password", new, owner, &settings)?;
        }
        TokenState::Expired => return refuse("Reset token has expired"),
        TokenState::Unknown => {
            limits.count(&db).await?;
            return refuse("Invalid or expired reset token");
        }
    }
    let new_hash = password::hash(new).await?;
    if password_reset::confirm(&db, &input.origin(), &token, new_hash).await? {
        Ok(message("Password reset successfully"))
    } else {
        refuse("Invalid or expired reset token")
    }
}

fn message(text: &str) -> Message {
    Message { message: text.to_owned() }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
