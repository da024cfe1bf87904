export { createImage, type CreateDeps } from './create-image.ts'
