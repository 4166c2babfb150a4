//! Connections that do not come about, hang or break.

use std::error::Error as _;
use std::time::Duration;

use idenfy::{CreateToken, Error};

use crate::server::{Server, Then, client, run};

async fn error(server: &Server) -> Error {
    server
        .client
        .create_token(&CreateToken::new("user-123"))
        .await
        .unwrap_err()
}

#[test]
fn a_port_where_nobody_listens_is_no_connection() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = client(&format!("http://{address}"))
            .status("abc")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotConnected(_)), "{error:?}");
        assert!(error.is_retryable() && !error.may_have_been_carried_out());
    });
}

#[test]
fn silence_is_a_timeout_and_in_doubt() {
    run(async {
        let server = Server::saying("", Then::Hang)
            .await
            .with_timeouts(Duration::from_millis(100));
        let error = error(&server).await;
        assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
        assert!(error.is_retryable() && error.may_have_been_carried_out());
    });
}

#[test]
fn an_answer_that_stops_in_the_middle_is_a_timeout() {
    run(async {
        let half = "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"authToken\":";
        let server = Server::saying(half, Then::Hang)
            .await
            .with_timeouts(Duration::from_millis(100));
        assert!(matches!(error(&server).await, Error::TimedOut(_)));
    });
}

#[test]
fn a_connection_that_breaks_in_the_answer_is_lost_and_in_doubt() {
    run(async {
        for then in [Then::Reset, Then::Close] {
            for said in [
                "",
                "HTTP/1.1 201",
                "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"authToken\":",
            ] {
                let error = error(&Server::saying(said, then).await).await;
                assert!(
                    matches!(error, Error::ConnectionLost(_)),
                    "{then:?} {said:?} {error:?}"
                );
                assert!(error.is_retryable() && error.may_have_been_carried_out());
            }
        }
    });
}

#[test]
fn what_is_no_http_is_a_lost_connection() {
    run(async {
        let server = Server::saying("SSH-2.0-nonsense\r\n", Then::Close).await;
        assert!(matches!(error(&server).await, Error::ConnectionLost(_)));
    });
}

#[test]
fn the_cause_is_chained_and_not_said_twice() {
    run(async {
        let error = error(&Server::saying("", Then::Close).await).await;
        let cause = error.source().unwrap().to_string();
        assert!(!error.to_string().contains(&cause), "{error}: {cause}");
    });
}
