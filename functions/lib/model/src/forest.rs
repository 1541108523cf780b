//! Isolation Forest as a Burn module (Liu, Ting, Zhou: «Isolation Forest», ICDM 2008; «Isolation-Based Anomaly
//! Detection», ACM TKDD 2012).
//!
//! Every tree is laid out as a complete binary tree of the same depth: node `i` has the children `2i + 1` and
//! `2i + 2`. A leaf above the last level is continued to the left by nodes that send every row left, so a walk takes
//! exactly `depth` steps for every row and tree, without a test for «is this a leaf», and needs no child pointers.

use burn::{
    module::{Module, Param},
    store::{ModuleRecord, RecordError},
    tensor::{Bytes, Device, Int, Tensor, TensorData},
};

/// Size of a forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    /// Number of trees.
    pub trees: usize,
    /// Steps from the root to the last level.
    pub depth: usize,
    /// Rows each tree was grown from.
    pub sample: usize,
}

impl Shape {
    /// Nodes with a split in one tree: 2^depth − 1.
    #[must_use]
    pub fn splits(&self) -> usize {
        (1 << self.depth) - 1
    }

    /// Places on the last level of one tree: 2^depth.
    #[must_use]
    pub fn leaves(&self) -> usize {
        1 << self.depth
    }
}

/// The forest. Shapes: `trees × (2^depth − 1)` for splits, `trees × 2^depth` for path lengths,
/// `trees × (2^(depth+1) − 1)` for the mean path length below each node.
#[derive(Module, Debug)]
pub struct Forest {
    /// Column that a node looks at.
    pub feature: Param<Tensor<2, Int>>,
    /// A row goes left where its value is at most this (in a continued leaf: +∞).
    pub threshold: Param<Tensor<2>>,
    /// Path length of the leaf reached, with c(n) added for a leaf that holds n > 1 training rows.
    pub path: Param<Tensor<2>>,
    /// Mean path length of the training rows that pass a node; the base of the attribution.
    pub expected: Param<Tensor<2>>,
    #[module(skip)]
    depth: usize,
    #[module(skip)]
    sample: usize,
}

/// The numbers of a forest as flat lists, tree by tree.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestArrays {
    /// See [`Forest::feature`].
    pub feature: Vec<u16>,
    /// See [`Forest::threshold`].
    pub threshold: Vec<f32>,
    /// See [`Forest::path`].
    pub path: Vec<f32>,
    /// See [`Forest::expected`].
    pub expected: Vec<f32>,
}

impl Forest {
    /// Puts flat lists into tensors. The lists must have the lengths that `shape` says.
    #[must_use]
    pub fn from_arrays(shape: Shape, arrays: ForestArrays) -> Self {
        let device = Device::flex();
        let float = |values: Vec<f32>, width: usize| {
            Param::from_tensor(Tensor::<2>::from_data(TensorData::new(values, [shape.trees, width]), &device))
        };
        let feature: Vec<i32> = arrays.feature.iter().map(|&f| i32::from(f)).collect();
        Self {
            feature: Param::initialized(
                burn::module::ParamId::new(),
                Tensor::<2, Int>::from_data(TensorData::new(feature, [shape.trees, shape.splits()]), &device),
            ),
            threshold: float(arrays.threshold, shape.splits()),
            path: float(arrays.path, shape.leaves()),
            expected: float(arrays.expected, shape.splits() + shape.leaves()),
            depth: shape.depth,
            sample: shape.sample,
        }
    }

    /// The numbers as flat lists; `None` when a tensor holds something that is no forest.
    #[must_use]
    pub fn to_arrays(&self) -> Option<ForestArrays> {
        let feature: Vec<i64> = self.feature.val().into_data().convert::<i64>().try_into_vec().ok()?;
        let float = |t: &Param<Tensor<2>>| t.val().into_data().convert::<f32>().try_into_vec::<f32>().ok();
        Some(ForestArrays {
            feature: feature.into_iter().map(u16::try_from).collect::<Result<_, _>>().ok()?,
            threshold: float(&self.threshold)?,
            path: float(&self.path)?,
            expected: float(&self.expected)?,
        })
    }

    /// Size of the forest.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { trees: self.threshold.val().dims()[0], depth: self.depth, sample: self.sample }
    }

    /// The forest as a Burn record (burnpack bytes).
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        Ok(self.clone().into_record().into_bytes()?.to_vec())
    }

    /// Reads a Burn record of a forest of the given size.
    ///
    /// # Errors
    /// When the bytes are no record, or one of another shape.
    pub fn from_bytes(shape: Shape, bytes: Vec<u8>) -> Result<Self, RecordError> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))?;
        let empty = ForestArrays {
            feature: vec![0; shape.trees * shape.splits()],
            threshold: vec![0.0; shape.trees * shape.splits()],
            path: vec![0.0; shape.trees * shape.leaves()],
            expected: vec![0.0; shape.trees * (shape.splits() + shape.leaves())],
        };
        Self::from_arrays(shape, empty).try_load_record(record)
    }

    /// Anomaly scores of many rows (`rows × columns`) by tensor operations: all rows walk all trees at once, one level
    /// per step. The result has one score per row.
    #[must_use]
    pub fn score(&self, rows: Tensor<2>) -> Tensor<1> {
        let [count, _] = rows.dims();
        let shape = self.shape();
        let device = rows.device();
        let features = self.feature.val().reshape([shape.trees * shape.splits()]);
        let thresholds = self.threshold.val().reshape([shape.trees * shape.splits()]);
        let paths = self.path.val().reshape([shape.trees * shape.leaves()]);
        let tree = Tensor::<1, Int>::arange(0..shape.trees as i64, &device)
            .reshape([1, shape.trees])
            .expand([count, shape.trees]);
        let first = tree.clone().mul_scalar(shape.splits() as i64);
        let mut node = Tensor::<2, Int>::zeros([count, shape.trees], &device);
        for _ in 0..shape.depth {
            let at = (first.clone() + node.clone()).reshape([count * shape.trees]);
            let column = features.clone().select(0, at.clone()).reshape([count, shape.trees]);
            let threshold = thresholds.clone().select(0, at).reshape([count, shape.trees]);
            let right = rows.clone().gather(1, column).greater(threshold).int();
            node = node.mul_scalar(2).add_scalar(1) + right;
        }
        let at = tree.mul_scalar(shape.leaves() as i64) + node.sub_scalar(shape.splits() as i64);
        let mean = paths
            .select(0, at.reshape([count * shape.trees]))
            .reshape([count, shape.trees])
            .mean_dim(1)
            .reshape([count]);
        mean.mul_scalar(-std::f32::consts::LN_2 / average_path(shape.sample) as f32).exp()
    }
}

/// c(n): mean path length of an unsuccessful search in a binary search tree of `n` keys, which normalises path
/// lengths (equation 1 of the 2008 paper, with the exact small cases).
#[must_use]
pub fn average_path(n: usize) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let m = (n - 1) as f64;
            2.0 * (m.ln() + EULER) - 2.0 * m / n as f64
        }
    }
}
