//! The stack's alarms.

use roxmltree::Document;

use super::{Aws, unreadable, xml};
use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// It has actions, and they are on.
    pub tells_somebody: bool,
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
}

fn alarms(text: &str) -> Option<Vec<Alarm>> {
    let document = Document::parse(text).ok()?;
    let read = |alarm| Alarm {
        name: xml::child_text(alarm, "AlarmName"),
        state: xml::child_text(alarm, "StateValue"),
        tells_somebody: xml::child_text(alarm, "ActionsEnabled") == "true"
            && !xml::members(alarm, "AlarmActions").is_empty(),
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
    fn an_alarm_tells_somebody_if_it_has_actions_and_they_are_on() {
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
        assert!(alarm("true", "<member>arn:aws:sns:x</member>").tells_somebody);
        assert!(!alarm("false", "<member>arn:aws:sns:x</member>").tells_somebody);
        assert!(!alarm("true", "").tells_somebody);
        assert_eq!(alarms("no xml"), None);
    }
}
