//! Searching transactions by what they did, in Tendermint's query language:
//! `message.action='/cosmos.bank.v1beta1.MsgSend' AND tx.height>3`.
//!
//! A condition is an attribute (type and key of an event), an operator and an operand. `=` is answered by the store's index,
//! `EXISTS` and `CONTAINS` by looking at what the other conditions find. Only `tx.height` has an order. A transaction that was
//! refused has done nothing and is not found.

use std::ops::RangeInclusive;

use alloy_primitives::B256;
use cloister_chain::Receipt;
use cloister_store::{Reader, Tag};

use super::error::RestError;
use super::read::tip;
use super::request::Page;
use super::{Backend, Door};

/// What is searched for: all of this has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    heights: RangeInclusive<u64>,
    hashes: Vec<B256>,
    tags: Vec<Tag>,
    /// Attributes and parts of their values; every value has the empty part.
    parts: Vec<(String, String)>,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Heights and indexes of the transactions of the page.
    pub(super) places: Vec<(u64, u32)>,
    /// How many there are on all pages.
    pub(super) total: usize,
}

impl Search {
    /// Reads a query.
    pub(super) fn parse(query: &str) -> Result<Self, RestError> {
        if query.len() > QUERY_BYTES {
            return Err(RestError::Invalid(format!("a query has at most {QUERY_BYTES} bytes")));
        }
        let mut search = Self { heights: 0..=u64::MAX, hashes: Vec::new(), tags: Vec::new(), parts: Vec::new() };
        let mut rest = query.trim();
        if rest.is_empty() {
            return Err(RestError::Invalid("query cannot be empty".into()));
        }
        loop {
            rest = search.condition(rest)?.trim_start();
            if rest.is_empty() {
                return Ok(search);
            }
            let after = rest.strip_prefix("AND").filter(|after| after.starts_with(char::is_whitespace));
            rest = after.ok_or_else(|| wrong(rest, "AND or the end"))?.trim_start();
        }
    }

    /// Takes one condition from the front of `text`.
    fn condition<'a>(&mut self, text: &'a str) -> Result<&'a str, RestError> {
        let end = text.find(|c: char| c.is_whitespace() || "=<>'".contains(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !name.contains('.') {
            return Err(wrong(text, "an attribute, as message.sender"));
        }
        let rest = rest.trim_start();
        let operators = ["<=", ">=", "=", "<", ">", "CONTAINS", "EXISTS"];
        let operator = operators.into_iter().find(|operator| rest.starts_with(operator));
        let operator = operator.ok_or_else(|| wrong(rest, "an operator"))?;
        let rest = &rest[operator.len()..];
        if operator == "EXISTS" {
            // Every transaction has these two.
            if !matches!(name, HEIGHT | HASH) {
                self.parts.push((name.to_owned(), String::new()));
            }
            return Ok(rest);
        }
        let (operand, rest) = operand(rest.trim_start())?;
        match (name, operator) {
            (HEIGHT, operator) => self.bound(operator, operand)?,
            (HASH, "=") => self.hashes.push(operand.parse().map_err(|_| wrong(operand, "a transaction's hash"))?),
            (name, "=") => self.tags.push(Tag::value(name, operand)),
            (name, "CONTAINS") if name != HASH => self.parts.push((name.to_owned(), operand.to_owned())),
            _ => return Err(wrong(text, "another operator: only tx.height has an order")),
        }
        Ok(rest)
    }

    /// Whether a transaction has all parts.
    fn matches(&self, receipt: &Receipt) -> bool {
        let events = receipt.cosmos.as_ref().map_or(&[][..], |result| &result.events);
        self.parts.iter().all(|(name, part)| {
            let mut keys = events.iter().filter_map(|event| {
                let key = name.strip_prefix(event.kind.as_str())?.strip_prefix('.')?;
                Some((key, &event.attributes))
            });
            keys.any(|(wanted, attributes)| attributes.iter().any(|(key, value)| key == wanted && value.contains(part)))
        })
    }

    fn bound(&mut self, operator: &str, operand: &str) -> Result<(), RestError> {
        let height: u64 = operand.parse().map_err(|_| wrong(operand, "a height"))?;
        // What nothing can satisfy is an empty range.
        let nothing = (1, 0);
        let (from, to) = match operator {
            "=" => (height, height),
            ">=" => (height, u64::MAX),
            ">" => height.checked_add(1).map_or(nothing, |from| (from, u64::MAX)),
            "<=" => (0, height),
            "<" => height.checked_sub(1).map_or(nothing, |to| (0, to)),
            _ => return Err(wrong(operator, "an operator for numbers")),
        };
        self.heights = from.max(*self.heights.start())..=to.min(*self.heights.end());
        Ok(())
    }
}

/// Takes an operand from the front of `text`: in single quotes, or a number.
fn operand(text: &str) -> Result<(&str, &str), RestError> {
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted.split_once('\'').ok_or_else(|| wrong(text, "a closing quote"));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some((number, rest)).ok_or_else(|| wrong(text, "a value in single quotes, or a number"))
}

impl<B: Backend> Door<B> {
    /// The part of the findings that `page` means, by height and index, and how many there are.
    pub(super) fn search(&self, search: &Search, page: Page) -> Result<Found, RestError> {
        let reader = self.reader()?;
        let mut heights = *search.heights.start()..=tip(&reader)?.min(*search.heights.end());
        let mut only = None;
        for hash in &search.hashes {
            let Some((height, index)) = reader.locate(hash)? else { return Ok(Found::default()) };
            if !heights.contains(&height) || only.is_some_and(|only| only != index) {
                return Ok(Found::default());
            }
            (heights, only) = (height..=height, Some(index));
        }
        let mut walk = Walk::new(&reader, search, heights, page.reverse);
        let mut found = Found::default();
        while let Some((height, mut indexes)) = walk.next()? {
            indexes.retain(|index| only.is_none_or(|only| only == *index));
            if !search.parts.is_empty() && !indexes.is_empty() {
                let receipts = reader.receipts(height)?.unwrap_or_default();
                walk.pay(receipts.len())?;
                let has = |index: u32| receipts.get(index as usize).is_some_and(|receipt| search.matches(receipt));
                indexes.retain(|index| has(*index));
            }
            if page.reverse {
                indexes.reverse();
            }
            let skip = page.offset.saturating_sub(found.total);
            let room = page.limit - found.places.len();
            found.total += indexes.len();
            found.places.extend(indexes.into_iter().skip(skip).take(room).map(|index| (height, index)));
        }
        Ok(found)
    }
}

/// The heights at which some transaction has all tags, one after the other.
struct Walk<'a> {
    reader: &'a Reader,
    tags: Vec<Tag>,
    /// What is left to look at; `None` at the end.
    heights: Option<RangeInclusive<u64>>,
    reverse: bool,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn new(reader: &'a Reader, search: &Search, heights: RangeInclusive<u64>, reverse: bool) -> Self {
        let mut tags = search.tags.clone();
        if tags.is_empty() {
            tags.push(Tag::every());
        }
        let heights = (!heights.is_empty()).then_some(heights);
        Self { reader, tags, heights, reverse, steps: STEPS }
    }

    /// The next height and its transactions.
    fn next(&mut self) -> Result<Option<(u64, Vec<u32>)>, RestError> {
        'height: while let Some(heights) = self.heights.clone() {
            let near = if self.reverse { *heights.end() } else { *heights.start() };
            let mut common: Option<(u64, Vec<u32>)> = None;
            for tag in self.tags.clone() {
                self.pay(1)?;
                let mut tagged = self.reader.tagged(&tag, heights.clone())?;
                let entry = if self.reverse { tagged.next_back() } else { tagged.next() };
                // A tag that does not come again ends everything.
                let Some((height, indexes)) = entry.transpose()? else {
                    self.heights = None;
                    return Ok(None);
                };
                // One that comes later takes the others along.
                if height != near {
                    self.heights = Some(if self.reverse { *heights.start()..=height } else { height..=*heights.end() });
                    continue 'height;
                }
                let both = |(_, mut known): (u64, Vec<u32>)| {
                    known.retain(|index| indexes.binary_search(index).is_ok());
                    known
                };
                common = Some((height, common.map_or_else(|| indexes.clone(), both)));
            }
            let (from, to) = (*heights.start(), *heights.end());
            let beyond = if self.reverse {
                near.checked_sub(1).map(|to| from..=to)
            } else {
                near.checked_add(1).map(|from| from..=to)
            };
            self.heights = beyond.filter(|heights| !heights.is_empty());
            if let Some(found) = common.filter(|(_, indexes)| !indexes.is_empty()) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Counts work.
    fn pay(&mut self, steps: usize) -> Result<(), RestError> {
        self.steps = self.steps.checked_sub(steps).ok_or(RestError::Much(TOO_WIDE))?;
        Ok(())
    }
}

fn wrong(at: &str, expected: &str) -> RestError {
    let at: String = at.chars().take(40).collect();
    RestError::Invalid(format!("failed to parse query: expected {expected} at: {at}"))
}

const HEIGHT: &str = "tx.height";
const HASH: &str = "tx.hash";
const TOO_WIDE: &str = "the search goes through too many transactions, bound it by tx.height";
/// Longest query.
const QUERY_BYTES: usize = 4_096;
/// How often one search may look into the index, or at a receipt. Each takes some 3 µs.
const STEPS: usize = 400_000;
