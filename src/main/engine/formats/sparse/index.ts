export { isSparseBundle, readBundleFiles } from './bundle-folder.ts'
export { readSparseBundle, type SparseBundle } from './read-sparse-bundle.ts'
export { readSparseImage, type SparseImage } from './read-sparse-image.ts'
export { isSprs } from './sprs.ts'
