//! What applications rely on: sessions, queries, retries and erasure, signed as in AWS and held to
//! `docs/openapi.yaml` answer by answer (see `Stack::api`).

mod asking;
mod creating;
mod erasing;
mod provider;
mod refusals;
mod repeating;
mod retrying;
