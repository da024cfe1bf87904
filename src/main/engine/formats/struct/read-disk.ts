/**
 * Bytes at an offset of a disk or volume, wherever they come from: a device, a raw file, decoded runs. Resolves to a new
 * array of exactly that many bytes. Rejects with `FormatError` when the stretch isn't whole inside or can't be decoded,
 * and with what the medium throws, or `UnreadableError` instead.
 */
export type ReadDisk = (offset: number, lengthBytes: number) => Promise<Uint8Array>
