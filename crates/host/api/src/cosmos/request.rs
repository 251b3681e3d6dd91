//! What a client sends, read once, with limits; and the answer's envelope.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cloister_chain::cosmos::from_bech32;
use cloister_chain::{Address, B256};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::HEIGHT;
use super::error::RestError;

/// An answer that a client reads.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    body: String,
    height: Option<u64>,
}

/// An answer, or why there is none.
pub(super) type Answered = Result<Reply, RestError>;

impl Reply {
    /// An answer that is about no height.
    pub(super) fn of(value: &Value) -> Self {
        Self { body: value.to_string(), height: None }
    }

    /// An answer that is JSON already.
    pub(super) const fn json(body: String) -> Self {
        Self { body, height: None }
    }

    /// An answer about the state of a height.
    pub(super) fn at(height: u64, value: &Value) -> Self {
        Self { body: value.to_string(), height: Some(height) }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = ([(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        if let Some(height) = self.height {
            response.headers_mut().insert(HEIGHT, height.into());
        }
        response
    }
}

/// Parameters and headers of a request.
pub(super) struct Asked {
    params: Vec<(String, String)>,
    /// Height whose state is meant; `None` for the tip.
    pub(super) height: Option<u64>,
}

impl Asked {
    /// The parameter of that name; empty ones count as absent, as the gateway has it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Every parameter that is not empty.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let params = self.params.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        params.filter(|(_, value)| !value.is_empty())
    }

    /// A parameter that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, RestError> {
        let text = self.text(name);
        text.map(|text| text.parse().map_err(|_| RestError::Invalid(format!("{name} is not a number")))).transpose()
    }

    /// Bytes in base64 that have to be there.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, RestError> {
        let text = self.text(name).ok_or_else(|| RestError::Invalid(format!("{name} is missing")))?;
        base64(text).ok_or_else(|| RestError::Invalid(format!("{name} is not base64")))
    }

    /// Which part of a list is meant: at most `most` entries, and that many if the client does not say.
    pub(super) fn page(&self, most: usize) -> Result<Page, RestError> {
        // secretjs sends both: those of `cosmos.tx` since 0.50, and the older `pagination`.
        let limit = match (self.number("limit")?, self.number("pagination.limit")?) {
            (Some(limit), _) | (None, Some(limit)) if limit > 0 => {
                usize::try_from(limit).map_or(most, |limit| limit.min(most))
            }
            _ => most,
        };
        let offset = match (self.number("page")?, self.number("pagination.offset")?) {
            (Some(page), _) if page > 0 => (page - 1).saturating_mul(limit as u64),
            (_, offset) => offset.unwrap_or(0),
        };
        let descending = matches!(self.text("order_by"), Some("ORDER_BY_DESC" | "2"));
        let reverse = descending || matches!(self.text("pagination.reverse"), Some("true" | "1"));
        Ok(Page { offset: usize::try_from(offset).unwrap_or(usize::MAX), limit, reverse })
    }
}

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// How many entries come before it.
    pub(super) offset: usize,
    /// How many entries it has at most.
    pub(super) limit: usize,
    /// The list is read from its end.
    pub(super) reverse: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RestError> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(params) = query.map_err(|_| RestError::Invalid("the parameters cannot be read".into()))?;
        let height = parts.headers.get(HEIGHT).map(|value| {
            let height = value.to_str().ok().and_then(|text| text.parse::<u64>().ok());
            height.ok_or_else(|| RestError::Invalid(format!("{HEIGHT} is not a height: invalid height header")))
        });
        // To gRPC, zero is as good as nothing.
        Ok(Self { params, height: height.transpose()?.filter(|height| *height > 0) })
    }
}

/// The variable in a path.
pub(super) struct Named<T>(pub(super) T);

/// What a path can name.
pub(super) trait Name: Sized {
    /// Reads it.
    fn read(text: String) -> Result<Self, RestError>;
}

impl<S: Send + Sync, T: Name> FromRequestParts<S> for Named<T> {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RestError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| RestError::Invalid("the path is not UTF-8".into()))?;
        T::read(text).map(Self)
    }
}

/// The last two parts of a path.
pub(super) struct NamedPair(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for NamedPair {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RestError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((first, second)) = path.map_err(|_| RestError::Invalid("the path is not UTF-8".into()))?;
        Ok(Self(first, second))
    }
}

impl Name for String {
    fn read(text: String) -> Result<Self, RestError> {
        Ok(text)
    }
}

impl Name for Address {
    fn read(text: String) -> Result<Self, RestError> {
        Ok(from_bech32(&text)?)
    }
}

impl Name for u64 {
    fn read(text: String) -> Result<Self, RestError> {
        text.parse().map_err(|_| RestError::Invalid("the path ends with something that is not a number".into()))
    }
}

/// A transaction's hash, as the client wrote it and as it is.
pub(super) struct TxHash {
    /// For the error that repeats it.
    pub(super) text: String,
    /// SHA-256 of the transaction.
    pub(super) hash: B256,
}

impl Name for TxHash {
    fn read(text: String) -> Result<Self, RestError> {
        let hash = text.parse().map_err(|_| RestError::Invalid("a hash has 64 hexadecimal digits".into()))?;
        Ok(Self { text, hash })
    }
}

/// A body of JSON. Clients name all kinds of content types; the body decides.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self, RestError> {
        let body = timeout(ARRIVAL, Bytes::from_request(request, state)).await.map_err(|_| RestError::Slow)?;
        let body = body.map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => RestError::Large,
            _ => RestError::Invalid("the body broke off".into()),
        })?;
        let value = serde_json::from_slice(&body);
        value.map(Self).map_err(|error| RestError::Invalid(format!("the body is not what it should be: {error}")))
    }
}

/// Bytes in base64, in either alphabet and with or without padding, as the gateway takes them.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let either = |alphabet| {
        GeneralPurpose::new(
            alphabet,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        )
    };
    either(&STANDARD).decode(text).or_else(|_| either(&URL_SAFE).decode(text)).ok()
}

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
