//! The Delta kernel: the only file that calls it.

use super::actions::{self, FileFacts, Format, Metadata, Protocol};
use super::file::DataFile;
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{AsArray, Int64Array, MapArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::Int64Type;
use delta_kernel::engine::arrow_data::EngineDataArrowExt;
use delta_kernel::schema::{DataType, StructField, StructType};
use delta_kernel::{KernelError, SnapshotRef};
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder};
use hashbrown::HashMap;
use object_store::local::LocalFileSystem;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::sync::{Arc, Mutex, PoisonError};

type Engine = DefaultEngine<TokioMultiThreadExecutor>;

/// Threads that read the log; files are read side by side on as many again.
const THREADS: usize = 2;
/// Threads that wait for the disk.
const DISK_THREADS: usize = 8;

/// The engine of this process, with the process that made it.
static ENGINE: Mutex<Option<(u32, Arc<Engine>)>> = Mutex::new(None);

/// The kernel's view of a table at a version.
#[derive(Clone)]
pub(super) struct KernelSnapshot {
    snapshot: SnapshotRef,
    place: String,
}

/// A checkpoint to be written.
pub(super) struct CheckpointFile {
    pub bytes: Vec<u8>,
    /// All actions in it.
    pub actions: u64,
    /// Live files in it.
    pub adds: u64,
}

impl KernelSnapshot {
    /// The table at a version, or at its latest.
    pub fn load(table: &Table, version: Option<u64>) -> Result<Self> {
        let place = table.name();
        let engine = engine()?;
        table.bring(version)?;
        let mut builder = delta_kernel::Snapshot::builder_for(table.url.as_str());
        if let Some(version) = version {
            builder = builder.at_version(version);
        }
        let snapshot = builder.build(&*engine).map_err(|error| failed("read", &place, error))?;
        Ok(KernelSnapshot { snapshot, place })
    }

    /// The version.
    pub fn version(&self) -> u64 {
        self.snapshot.version()
    }

    /// The version of the checkpoint that it starts from.
    pub fn checkpoint_version(&self) -> Option<u64> {
        self.snapshot.log_segment().checkpoint_version
    }

    /// A commit without a byte among those that make it up; the kernel takes it for one without actions.
    pub fn empty_commit(&self) -> Option<u64> {
        let commits = &self.snapshot.log_segment().listed.ascending_commit_files;
        commits.iter().find(|commit| commit.location.size == 0).map(|commit| commit.version)
    }

    /// What the table asks of readers and writers.
    pub fn protocol(&self) -> Protocol {
        let protocol = self.snapshot.table_configuration().protocol();
        let names = |features: Option<&[delta_kernel::table_features::TableFeature]>| {
            Some(features?.iter().map(|feature| feature.as_ref().to_string()).collect())
        };
        Protocol {
            min_reader_version: protocol.min_reader_version(),
            min_writer_version: protocol.min_writer_version(),
            reader_features: names(protocol.reader_features()),
            writer_features: names(protocol.writer_features()),
        }
    }

    /// Schema and settings.
    pub fn metadata(&self) -> Metadata {
        let metadata = self.snapshot.table_configuration().metadata();
        Metadata {
            id: metadata.id().to_string(),
            name: metadata.name().map(str::to_string),
            description: metadata.description().map(str::to_string),
            format: Format {
                provider: metadata.format_provider().to_string(),
                options: metadata.format_options().clone().into_iter().collect(),
            },
            schema_string: metadata.schema_string().clone(),
            partition_columns: metadata.partition_columns().to_vec(),
            configuration: metadata.configuration().clone().into_iter().collect(),
            created_time: metadata.created_time(),
        }
    }

    /// The live data files, in no order.
    pub fn files(&self) -> Result<Vec<DataFile>> {
        let failed = |error| failed("list the files of", &self.place, error);
        let engine = engine()?;
        let scan = self.snapshot.clone().scan_builder().without_row_transforms().build().map_err(failed)?;
        let mut files = Vec::new();
        for metadata in scan.scan_metadata(&*engine).map_err(failed)? {
            let batch = metadata.and_then(|metadata| metadata.scan_files.apply_selection_vector());
            read_files(&batch.try_into_record_batch().map_err(failed)?, &mut files)?;
        }
        Ok(files)
    }

    /// The latest version of every application id.
    pub fn transactions(&self) -> Result<HashMap<String, i64>> {
        let failed = |error| failed("read the transactions of", &self.place, error);
        let engine = engine()?;
        let fields = [
            StructField::nullable("appId", DataType::STRING),
            StructField::nullable("version", DataType::LONG),
        ];
        let schema = StructType::try_new(fields)
            .and_then(|txn| StructType::try_new([StructField::nullable("txn", txn)]))
            .map_err(failed)?;
        let mut transactions = HashMap::new();
        let segment = self.snapshot.log_segment();
        for batch in segment.read_actions(&*engine, Arc::new(schema)).map_err(failed)? {
            let batch = batch.map(|batch| batch.actions).try_into_record_batch().map_err(failed)?;
            let txn = StructArray::from(batch);
            let txn = structure(&txn, "txn")?;
            for (app_id, version) in strings(txn, "appId")?.iter().zip(longs(txn, "version")?.iter()) {
                // Batches come newest first.
                if let (Some(app_id), Some(version)) = (app_id, version) {
                    transactions.entry_ref(app_id).or_insert(version);
                }
            }
        }
        Ok(transactions)
    }

    /// A checkpoint of the version.
    pub fn checkpoint(&self) -> Result<CheckpointFile> {
        let failed = |error| failed("make a checkpoint of", &self.place, error);
        let unwritten = |error| {
            let message = format!("cannot write a checkpoint of `{}`", self.place);
            Error::new(ErrorKind::Internal, message).with_source(error)
        };
        let engine = engine()?;
        let writer = self.snapshot.clone().create_checkpoint_writer(&*engine).map_err(failed)?;
        let mut data = writer.checkpoint_data(&*engine).map_err(failed)?;
        let state = data.state();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut parquet: Option<ArrowWriter<Vec<u8>>> = None;
        for batch in data.by_ref() {
            let batch = batch.and_then(|batch| batch.apply_selection_vector());
            let batch = batch.try_into_record_batch().map_err(failed)?;
            let writer = match &mut parquet {
                Some(writer) => writer,
                None => parquet.insert(
                    ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.clone()))
                        .map_err(unwritten)?,
                ),
            };
            writer.write(&batch).map_err(unwritten)?;
        }
        let Some(parquet) = parquet else {
            return Err(Error::new(ErrorKind::Internal, "a checkpoint has no actions"));
        };
        Ok(CheckpointFile {
            bytes: parquet.into_inner().map_err(unwritten)?,
            actions: u64::try_from(state.actions_count()).unwrap_or_default(),
            adds: u64::try_from(state.add_actions_count()).unwrap_or_default(),
        })
    }
}

/// The engine of this process.
fn engine() -> Result<Arc<Engine>> {
    let process = std::process::id();
    let mut slot = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, engine)) = &*slot
        && *owner == process
    {
        return Ok(Arc::clone(engine));
    }
    let executor = TokioMultiThreadExecutor::new_owned_runtime(Some(THREADS), Some(DISK_THREADS))
        .map_err(|error| failed("start the threads that read", "the Delta log", error))?;
    let engine = DefaultEngineBuilder::new(Arc::new(LocalFileSystem::new()))
        .with_task_executor(Arc::new(executor))
        .build();
    let engine = Arc::new(engine);
    // The threads of a runtime do not live on after `fork`: dropping it would wait for them for ever.
    std::mem::forget(slot.replace((process, Arc::clone(&engine))));
    Ok(engine)
}

/// Data files of a batch of scan metadata.
fn read_files(batch: &RecordBatch, files: &mut Vec<DataFile>) -> Result<()> {
    let rows = StructArray::from(batch.clone());
    let constants = structure(&rows, "fileConstantValues")?;
    let columns = strings(&rows, "path")?
        .iter()
        .zip(longs(&rows, "size")?.iter())
        .zip(longs(&rows, "modificationTime")?.iter())
        .zip(strings(&rows, "stats")?.iter())
        .zip(map(constants, "partitionValues")?.iter())
        .zip(map(constants, "tags")?.iter());
    for (((((path, size), modified), stats), partition), tags) in columns {
        let Some(path) = path else { continue };
        files.push(actions::data_file(FileFacts {
            path,
            day: partition.as_ref().and_then(|partition| value_of(partition, "day")),
            size: size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            modified_ms: modified.unwrap_or_default(),
            stats,
            tag: |name| tags.as_ref().and_then(|tags| value_of(tags, name)),
        })?);
    }
    Ok(())
}

/// The value of a key in one row of a map.
fn value_of<'a>(entries: &'a StructArray, key: &str) -> Option<&'a str> {
    let [keys, values] = entries.columns() else { return None };
    let keys = keys.as_string_opt::<i32>()?;
    let values = values.as_string_opt::<i32>()?;
    keys.iter().zip(values.iter()).find(|(name, _)| *name == Some(key))?.1
}

fn structure<'a>(rows: &'a StructArray, name: &str) -> Result<&'a StructArray> {
    rows.column_by_name(name).and_then(|column| column.as_struct_opt()).ok_or_else(|| unexpected(name))
}

fn strings<'a>(rows: &'a StructArray, name: &str) -> Result<&'a StringArray> {
    rows.column_by_name(name).and_then(|column| column.as_string_opt()).ok_or_else(|| unexpected(name))
}

fn longs<'a>(rows: &'a StructArray, name: &str) -> Result<&'a Int64Array> {
    let column = rows.column_by_name(name);
    column.and_then(|column| column.as_primitive_opt::<Int64Type>()).ok_or_else(|| unexpected(name))
}

fn map<'a>(rows: &'a StructArray, name: &str) -> Result<&'a MapArray> {
    rows.column_by_name(name).and_then(|column| column.as_map_opt()).ok_or_else(|| unexpected(name))
}

fn unexpected(column: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("the Delta kernel gives no column `{column}` as expected"))
}

/// An error of the kernel, with what it means for the caller.
fn failed(action: &str, place: &str, error: KernelError) -> Error {
    let error = without_backtrace(error);
    let kind = kind(&error);
    Error::new(kind, format!("cannot {action} the Delta table in `{place}`")).with_source(error)
}

/// The error itself: the text of a backtrace, which the kernel adds on request, is not for a message.
fn without_backtrace(error: KernelError) -> KernelError {
    match error {
        KernelError::Backtraced { source, .. } => without_backtrace(*source),
        error => error,
    }
}

fn kind(error: &KernelError) -> ErrorKind {
    match error {
        KernelError::FileNotFound(_)
        | KernelError::EmptyLog
        | KernelError::MissingVersion(_)
        | KernelError::StartVersionNotFound { .. }
        | KernelError::ObjectStore(object_store::Error::NotFound { .. }) => ErrorKind::NotFound,
        KernelError::ObjectStore(object_store::Error::PermissionDenied { .. }) => ErrorKind::Permission,
        KernelError::IOError(error) => match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
            _ => ErrorKind::Io,
        },
        KernelError::ObjectStore(_) => ErrorKind::Io,
        KernelError::Unsupported(_) => ErrorKind::Unsupported,
        KernelError::InternalError(_) | KernelError::JoinFailure(_) => ErrorKind::Internal,
        _ => ErrorKind::Corrupt,
    }
}
