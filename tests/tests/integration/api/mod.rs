//! The API for applications: sessions, queries, retries and erasure, signed as in AWS. Every answer
//! is held to `docs/openapi.yaml` (see `api_contract`).

mod asking;
mod creating;
mod erasing;
mod provider;
mod refusals;
mod repeating;
mod retrying;
