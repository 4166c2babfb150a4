//! The stack's alarms, and whom they tell.

use roxmltree::Document;

use super::{Aws, unreadable, xml};
use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// What it tells when it rings. Empty if its actions are off.
    pub actions: Vec<String>,
}

/// CloudWatch takes at most 100 names at once.
const NAMES_AT_ONCE: usize = 100;

impl Aws {
    /// Describes metric and composite alarms by name. Names that do not exist are left out.
    ///
    /// # Errors
    /// CloudWatch was not reached or refuses.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, Failure> {
        let mut found = Vec::new();
        for names in names.chunks(NAMES_AT_ONCE) {
            let numbered: Vec<(String, &str)> = names
                .iter()
                .enumerate()
                .map(|(index, name)| (format!("AlarmNames.member.{}", index + 1), name.as_str()))
                .collect();
            let mut form = vec![
                ("Action", "DescribeAlarms"),
                ("Version", "2010-08-01"),
                ("MaxRecords", "100"),
                ("AlarmTypes.member.1", "MetricAlarm"),
                ("AlarmTypes.member.2", "CompositeAlarm"),
            ];
            form.extend(numbered.iter().map(|(key, name)| (key.as_str(), *name)));
            let text = self.query("monitoring", &form).await?;
            found.extend(alarms(&text).ok_or_else(|| unreadable("monitoring"))?);
        }
        Ok(found)
    }

    /// Whether anybody listens to a topic. A subscription counts once it is confirmed.
    ///
    /// # Errors
    /// SNS was not reached or refuses.
    pub async fn has_listener(&self, topic: &str) -> Result<bool, Failure> {
        // A page of 100 is enough: the first confirmed one decides.
        let form = [
            ("Action", "ListSubscriptionsByTopic"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
        ];
        let text = self.query("sns", &form).await?;
        has_confirmed_subscription(&text).ok_or_else(|| unreadable("sns"))
    }
}

/// Others have a word in place of their ARN: `PendingConfirmation` or `Deleted`.
fn has_confirmed_subscription(text: &str) -> Option<bool> {
    let document = Document::parse(text).ok()?;
    let subscriptions = xml::members(document.root(), "Subscriptions");
    Some(
        subscriptions
            .into_iter()
            .any(|one| xml::child_text(one, "SubscriptionArn").starts_with("arn:")),
    )
}

fn alarms(text: &str) -> Option<Vec<Alarm>> {
    let document = Document::parse(text).ok()?;
    let read = |alarm| Alarm {
        name: xml::child_text(alarm, "AlarmName"),
        state: xml::child_text(alarm, "StateValue"),
        actions: match xml::child_text(alarm, "ActionsEnabled").as_str() {
            "true" => xml::members(alarm, "AlarmActions")
                .into_iter()
                .filter_map(|action| action.text().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        },
    };
    let lists = ["MetricAlarms", "CompositeAlarms"].into_iter();
    Some(
        lists
            .flat_map(|list| xml::members(document.root(), list))
            .map(read)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_has_its_actions_if_they_are_on() {
        let alarm = |enabled: &str, actions: &str| {
            let text = format!(
                "<R><MetricAlarms><member>\
                 <AlarmName>a</AlarmName><StateValue>OK</StateValue>\
                 <ActionsEnabled>{enabled}</ActionsEnabled>\
                 <AlarmActions>{actions}</AlarmActions>\
                 </member></MetricAlarms><CompositeAlarms/></R>"
            );
            alarms(&text).unwrap().remove(0)
        };
        let action = "<member>arn:aws:sns:x</member>";
        assert_eq!(alarm("true", action).actions, ["arn:aws:sns:x"]);
        assert!(alarm("false", action).actions.is_empty());
        assert!(alarm("true", "").actions.is_empty());
        assert_eq!(alarms("no xml"), None);
    }

    #[test]
    fn a_subscription_counts_once_it_is_confirmed() {
        let listened = |arns: &[&str]| {
            let members = arns
                .iter()
                .map(|arn| format!("<member><SubscriptionArn>{arn}</SubscriptionArn></member>"));
            let members: String = members.collect();
            has_confirmed_subscription(&format!("<R><Subscriptions>{members}</Subscriptions></R>"))
        };
        assert_eq!(listened(&[]), Some(false));
        assert_eq!(listened(&["PendingConfirmation", "Deleted"]), Some(false));
        let confirmed = "arn:aws:sns:eu-west-1:123456789012:alarms:1";
        assert_eq!(listened(&["PendingConfirmation", confirmed]), Some(true));
        assert_eq!(has_confirmed_subscription("no xml"), None);
    }
}
