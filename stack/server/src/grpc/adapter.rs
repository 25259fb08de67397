//! One generic adapter between a tonic service and the functions that serve it.

/// Implements a tonic service for `Api` from a table. Each row is
/// `method(Request) -> Answer = function;`, the function being
/// `async fn(&State, Request) -> Result<Answer, StepError>`. Rows of server streams come last, begin
/// with `@stream`, and end with `as` and the name of the associated type; their function gives a
/// `Subscription`. Answers leave with their secrets hidden.
macro_rules! service {
    ($($module:ident)::+ :
        $($method:ident($request:ty) -> $answer:ty = $function:path;)*
        $(@stream $stream:ident($target:ty) -> $item:ty = $subscribe:path as $associated:ident;)*
    ) => {
        #[tonic::async_trait]
        impl $($module)::+ for $crate::grpc::services::Api {
            $(
                async fn $method(
                    &self,
                    request: tonic::Request<$request>,
                ) -> Result<tonic::Response<$answer>, tonic::Status> {
                    let answer: $answer = $function(&self.state, request.into_inner()).await?;
                    Ok(tonic::Response::new($crate::mask::Outgoing::masked(answer)))
                }
            )*
            $(
                type $associated = futures::stream::BoxStream<'static, Result<$item, tonic::Status>>;

                async fn $stream(
                    &self,
                    request: tonic::Request<$target>,
                ) -> Result<tonic::Response<Self::$associated>, tonic::Status> {
                    let subscription = $subscribe(&self.state, request.into_inner()).await?;
                    Ok(tonic::Response::new(Box::pin(subscription.into_stream())))
                }
            )*
        }
    };
}

pub(super) use service;
