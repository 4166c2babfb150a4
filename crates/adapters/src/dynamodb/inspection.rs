//! Looks through all pairings, a page at a time. No function does this.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use verification::Timestamp;
use verification::identifiers::ScanRef;
use verification::ports::{PairingSummary, StoreUnavailable};

use super::items::{
    Item, PAIRING, READING, StrangeItem, attribute, pairing_key, read_summary, text,
};
use super::pairings::DynamoPairings;
use crate::aws::error::unavailable;

/// What to look for.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub place: InspectionPlace,
    /// State names; empty: all.
    pub states: Vec<&'static str>,
    /// Only pairings that have changed since then.
    pub changed_since: Option<Timestamp>,
}

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InspectionPlace {
    /// The index by client: a few hundred bytes per pairing.
    ///
    /// Only pairings with a known `clientId`.
    ClientIndex,
    /// The whole table: every pairing, some thirty times as many bytes.
    Table,
}

impl InspectionPlace {
    /// The place right behind a pairing.
    pub fn after(self, first: &ScanRef) -> InspectionStart {
        match self {
            Self::ClientIndex => first.to_string(),
            Self::Table => format!("{}/{PAIRING}", pairing_key(first)),
        }
    }
}

/// Start of a page, without anything personal.
///
/// In the index a `scanRef`, in the table an item's key (`<pk>/<sk>`).
pub type InspectionStart = String;

/// One page of pairings.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// In no order.
    pub pairings: Vec<PairingSummary>,
    /// Items read to find them.
    pub items_read: u64,
    /// Cost of the reading, in read units.
    pub read_units: f64,
    /// Start of the next page. `None`: there is none.
    pub next: Option<InspectionStart>,
}

/// The pairing that the page starts behind is gone.
#[derive(Debug, thiserror::Error)]
#[error("the place to go on after is none, or is not there any more")]
struct StartGone;

impl DynamoPairings {
    /// Reads one page, at most 1 MB. Eventually consistent.
    ///
    /// # Errors
    /// The table is unavailable, or the pairing in `start` has been removed.
    pub async fn inspect(
        &self,
        inspection: &Inspection,
        start: Option<&InspectionStart>,
    ) -> Result<Inspected, StoreUnavailable> {
        let start = match start {
            Some(start) => Some(self.start_key(inspection.place, start).await?),
            None => None,
        };
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(start);
        let request = match inspection.place {
            InspectionPlace::ClientIndex => request.index_name("by-client"),
            InspectionPlace::Table => request,
        };
        let mut conditions = vec!["sk = :sk".to_owned()];
        let mut values = Item::from([(":sk".to_owned(), text(PAIRING))]);
        if let Some(since) = inspection.changed_since {
            conditions.push("updated_at >= :since".to_owned());
            values.insert(":since".to_owned(), text(since.to_string()));
        }
        let mut request = request;
        if !inspection.states.is_empty() {
            let names: Vec<String> = (0..inspection.states.len())
                .map(|number| format!(":state{number}"))
                .collect();
            conditions.push(format!("#state IN ({})", names.join(", ")));
            values.extend(
                names
                    .into_iter()
                    .zip(inspection.states.iter().map(|state| text(*state))),
            );
            request = request.expression_attribute_names("#state", "state");
        }
        let request = request
            .filter_expression(conditions.join(" AND "))
            .set_expression_attribute_values(Some(values));
        let answer = request
            .send()
            .await
            .map_err(|error| unavailable(READING, error))?;
        let strange = |error| StoreUnavailable::new(READING, error);
        let next = answer
            .last_evaluated_key
            .as_ref()
            .map(|key| start_text(inspection.place, key));
        Ok(Inspected {
            next: next.transpose().map_err(strange)?,
            read_units: answer
                .consumed_capacity
                .and_then(|consumed| consumed.capacity_units)
                .unwrap_or_default(),
            items_read: u64::try_from(answer.scanned_count).unwrap_or_default(),
            pairings: answer
                .items
                .unwrap_or_default()
                .iter()
                .map(read_summary)
                .collect::<Result<_, _>>()
                .map_err(strange)?,
        })
    }

    /// The index's key holds the `clientId`, which belongs in no terminal. It is read again.
    async fn start_key(
        &self,
        place: InspectionPlace,
        start: &str,
    ) -> Result<Item, StoreUnavailable> {
        let gone = || StoreUnavailable::new(READING, StartGone);
        if place == InspectionPlace::Table {
            let (pk, sk) = start.split_once('/').ok_or_else(gone)?;
            return Ok(Item::from([
                ("pk".to_owned(), text(pk)),
                ("sk".to_owned(), text(sk)),
            ]));
        }
        let first: ScanRef = start.parse().map_err(|_| gone())?;
        let mut item = self
            .item(pairing_key(&first), PAIRING)
            .await?
            .ok_or_else(gone)?;
        item.retain(|name, _| matches!(name.as_str(), "pk" | "sk" | "client_id" | "created_at"));
        if item.len() == 4 {
            Ok(item)
        } else {
            Err(gone())
        }
    }
}

fn start_text(place: InspectionPlace, key: &Item) -> Result<InspectionStart, StrangeItem> {
    let pk = attribute(key, "pk")?;
    Ok(match place {
        InspectionPlace::ClientIndex => pk.strip_prefix("PAIRING#").unwrap_or(pk).to_owned(),
        InspectionPlace::Table => format!("{pk}/{}", attribute(key, "sk")?),
    })
}
