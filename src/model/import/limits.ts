// Every bound of the importer, in one place, with what happens when it is met. What a file may make us allocate is
// bounded by these and by the size of the file, never by a number that the file states.

export const import_limits = {
  // ---- reading weights --------------------------------------------------------------------------------------

  /** Elements of one piece that a tensor is read in: 1 MiB as float32. A multiple of every block size. */
  piece_elements: 1 << 18,
  /** Elements of a transposed view put in order at once: 64 MiB as float32. Less would mean many tiny reads. */
  gather_elements: 1 << 24,
  /** Bytes read in one go while a view is put in order. */
  gather_read_bytes: 32 << 20,
  /** Files of one checkpoint: the largest releases of others have a few hundred shards. More are refused. */
  files_max: 1024,
  /** Tensors of one file; the largest released VisualRWKV has about 2,500. The native library reads 100,000. */
  tensors_max: 100_000,
  /** torch itself stops at 64, safetensors files for the native library at 8. */
  dimensions_max: 8,
  /** Longer names are refused; released ones have up to 80 characters. */
  name_chars_max: 1024,

  // ---- torch ------------------------------------------------------------------------------------------------

  /** The directory at the end of the archive: some 100 bytes per tensor. */
  zip_directory_bytes_max: 16 << 20,
  zip_entries_max: 110_000,
  /** ZIP allows a comment this long after the end record; the record is looked for no further back. */
  zip_comment_bytes_max: 65_535,
  /** data.pkl: some 150 bytes per tensor. */
  pickle_bytes_max: 16 << 20,
  /** Values on the stack, in the memo, objects made, items of dictionaries: each on its own. Ten per tensor are usual. */
  pickle_values_max: 1_000_000,
  /** Bytes of all tensors, per byte of the file. Tied weights share a storage: less than 2. More would be a bomb. */
  shared_bytes_factor: 8,
  /** One string or number of a pickle. */
  pickle_text_bytes_max: 64 << 10,

  // ---- safetensors ------------------------------------------------------------------------------------------

  /** The format allows 100 MB; 100,000 tensors need less than this. Parsed JSON takes several times as much memory. */
  safetensors_header_bytes_max: 16 << 20,
  /** model.safetensors.index.json: a line per tensor. */
  index_bytes_max: 16 << 20,
  /** Deeper JSON is refused: headers have 3 levels, a config.json some 5. */
  json_depth_max: 64,
  /** A longer config.json beside the weights is refused. */
  config_bytes_max: 1 << 20,

  // ---- GGUF -------------------------------------------------------------------------------------------------

  /** Key-values and tensor infos together: a vocabulary of 256,000 words with scores and merges takes 15 MB. */
  gguf_header_bytes_max: 64 << 20,
  gguf_pairs_max: 10_000,
  gguf_text_bytes_max: 1 << 20,
  /** Shorter arrays are read at opening; longer ones stay in the file until they are asked for. */
  gguf_eager_elements_max: 256,
  /** Elements of an array that `read()` gives; a longer one is refused. */
  gguf_array_elements_max: 4 << 20,

  // ---- what the tensors mean --------------------------------------------------------------------------------

  /** Elements of a low-rank matrix that is read whole to be turned round; the largest released has 2 million. */
  whole_elements_max: 1 << 26,
  /** Layers of a language model, as the native library reads them. The largest released model has 61. */
  layers_max: 1024,
  /** Attention heads that a config.json may state for a tower; a larger number is not believed. */
  tower_heads_max: 256,
  /** Side of the frames that a source is asked for; the manifest's own bound. */
  frame_side_px_max: 4096,
  /** Tiles of a picture of v7.02 and v7.03, which take as many as it needs; the manifest's own bound. */
  tiles_max: 64,
  /** Names that one sentence lists; the others are counted. */
  listed_names_max: 8,
} as const;
