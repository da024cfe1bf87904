/**
 * Writes test/vectors and assets/practice.dmg: `node scripts/make-vectors.ts`. Needs bzip2 and xz; the disks of other
 * people's tools are made where their programs are, and kept as they are where not. What is committed was made on
 * Debian 12 as root.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writePracticeImage } from './practice-image.ts'
import { writeBadVectors } from './vectors/bad-images.ts'
import { writeDiskVectors } from './vectors/disks.ts'
import { writeGoodVectors } from './vectors/good-images.ts'

const root = join(import.meta.dirname, '..')
const vectors = join(root, 'test/vectors')

mkdirSync(join(root, 'assets'), { recursive: true })
await writePracticeImage(join(root, 'assets/practice.dmg'))
writeGoodVectors(join(vectors, 'good'))
writeBadVectors(join(vectors, 'bad'))
await writeDiskVectors(join(vectors, 'disks'))
