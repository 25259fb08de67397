//! Requests as bytes, for what a well-formed message cannot say.

use std::marker::PhantomData;

use prost::bytes::BufMut;
use prost_reflect::ReflectMessage;
use tonic::{
    Status,
    codec::{Codec, EncodeBuf, Encoder},
};
use tonic_prost::ProstCodec;

/// Sends bytes as they are and reads an ordinary message.
pub(super) struct BytesCodec<R>(PhantomData<R>);

impl<R> Default for BytesCodec<R> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<R: ReflectMessage + Default + 'static> Codec for BytesCodec<R> {
    type Encode = Vec<u8>;
    type Decode = R;
    type Encoder = Verbatim;
    type Decoder = <ProstCodec<R, R> as Codec>::Decoder;

    fn encoder(&mut self) -> Verbatim {
        Verbatim
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<R, R>::default().decoder()
    }
}

/// Writes bytes as they are.
pub(super) struct Verbatim;

impl Encoder for Verbatim {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}
