//! The network as a Burn module: a dilated temporal convolution, two dense layers and a head of three quantities.
//!
//! The convolution looks at the smoothed channels some cycles apart ([`Shape::taps`] places) and is needed at the newest
//! cycle only, where it is one matrix product over all places and channels; the operating time comes in beside them.
//! Head: lower quantile, expected value, upper quantile, as shares of the cap (Koenker, Bassett: «Regression
//! Quantiles», 1978, for the outer two).

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    store::{ModuleRecord, RecordError},
    tensor::{Bytes, Device, Tensor, TensorData, activation::relu},
};

/// Size of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    /// Places in the past, the present included.
    pub taps: usize,
    /// Numbers at each place.
    pub channels: usize,
    /// Width of the hidden layers.
    pub hidden: usize,
}

impl Shape {
    /// Is it a shape at all, and small enough for a component?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (1..=128).contains(&self.taps)
            && (1..=64).contains(&self.channels)
            && (1..=512).contains(&self.hidden)
    }

    /// Numbers in one window: every channel at every place, and the operating time.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.taps * self.channels + 1
    }
}

/// One network.
#[derive(Module, Debug)]
pub struct Network {
    convolution: Linear,
    dense: Linear,
    head: Linear,
}

impl Network {
    /// A network with random weights (seed the device before).
    #[must_use]
    pub fn new(shape: Shape, device: &Device) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            convolution: linear(shape.inputs(), shape.hidden),
            dense: linear(shape.hidden, shape.hidden),
            head: linear(shape.hidden, 3),
        }
    }

    /// `batch × inputs` → `batch × 3`.
    #[must_use]
    pub fn forward(&self, windows: Tensor<2>) -> Tensor<2> {
        self.forward_with(windows, |hidden| hidden)
    }

    /// The same with something done to what each hidden layer gives (training drops a part of it).
    #[must_use]
    pub fn forward_with(&self, windows: Tensor<2>, after: impl Fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let x = after(relu(self.convolution.forward(windows)));
        let x = after(relu(self.dense.forward(x)));
        self.head.forward(x)
    }
}

/// Several networks that were trained alike from different seeds; their mean is the estimate.
#[derive(Module, Debug)]
pub struct Ensemble {
    /// The networks.
    pub networks: Vec<Network>,
}

impl Ensemble {
    /// The networks as one Burn record (burnpack bytes).
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        Ok(self.clone().into_record().into_bytes()?.to_vec())
    }

    /// Reads a Burn record of `count` networks of the given size.
    ///
    /// # Errors
    /// When the bytes are no record, or one of another shape.
    pub fn from_bytes(shape: Shape, count: usize, bytes: Vec<u8>) -> Result<Self, RecordError> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))?;
        let device = Device::flex();
        Self { networks: (0..count).map(|_| Network::new(shape, &device)).collect() }.try_load_record(record)
    }

    /// What each network says of many windows (each of [`Shape::inputs`] numbers): per network and window lower quantile,
    /// expected value and upper quantile, as shares of the cap.
    #[must_use]
    pub fn evaluate(&self, shape: Shape, windows: &[Vec<f32>]) -> Vec<Vec<[f32; 3]>> {
        let flat: Vec<f32> = windows.concat();
        if flat.is_empty() || flat.len() != windows.len() * shape.inputs() {
            return vec![Vec::new(); self.networks.len()];
        }
        let data = TensorData::new(flat, [windows.len(), shape.inputs()]);
        let input = Tensor::<2>::from_data(data, &Device::flex());
        let outputs = |network: &Network| {
            let out = network.forward(input.clone()).into_data().convert::<f32>();
            let out = out.try_into_vec::<f32>().unwrap_or_default();
            out.as_chunks::<3>().0.to_vec()
        };
        self.networks.iter().map(outputs).collect()
    }
}
