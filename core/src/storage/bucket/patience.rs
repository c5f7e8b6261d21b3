//! Requests that a server asks to be repeated later wait as long as it says.

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A server that asks for more is asked again after this time all the same.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Makes clients that wait.
#[derive(Debug, Default)]
pub(super) struct Patient;

#[derive(Debug)]
struct PatientClient(HttpClient);

impl HttpConnector for Patient {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(PatientClient(ReqwestConnector::default().connect(options)?)))
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for PatientClient {
    fn call<'life, 'answer>(&'life self, request: HttpRequest) -> Answer<'answer>
    where
        'life: 'answer,
        Self: 'answer,
    {
        Box::pin(async move {
            let response = self.0.execute(request).await?;
            if matches!(response.status().as_u16(), 429 | 503) {
                let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                if let Some(seconds) = after.and_then(|text| text.trim().parse().ok()) {
                    tokio::time::sleep(Duration::from_secs(seconds).min(WAIT_MAX)).await;
                }
            }
            Ok(response)
        })
    }
}
