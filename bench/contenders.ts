/** Our program and its peers, as commands that put an image on a disk so that it is really there when they end. */
import { join, resolve } from 'node:path'
import { program } from '#test/needs'
import { settle } from './bench-disk.ts'
import { quote, type Contender } from './measure.ts'

const root = resolve(import.meta.dirname, '..')
export const builtProgram = join(root, 'out/main/reprise.js')
const node = join(root, 'node_modules/node/bin/node')

/** Our program with these arguments, by the project's Node. */
export const reprise = (name: string, args: readonly string[]): Contender => ({
  name,
  command: `${quote(node)} --import "$REPRISE_PRELOAD" ${quote(builtProgram)} ${args.map(quote).join(' ')}`,
  isOurs: true,
  before: settle,
})

export const restore = (image: string, disk: string, ...more: readonly string[]): Contender =>
  reprise('reprise', ['restore', '--source', image, '--target', disk, '--erase', '--noprompt', ...more])

const peer = (name: string, command: string): Contender => ({ name, command, before: settle })

/** What a disk is written with when it is fed through a pipe. */
const intoDisk = (disk: string) => `dd of=${quote(disk)} bs=1M iflag=fullblock oflag=direct conv=fsync`

/** Null where the program isn't installed. */
const ifThere = (names: readonly string[], make: (path: string) => Contender): Contender | null => {
  const path = names.map(program).find((found) => found !== null)
  return path === undefined || path === null ? null : make(path)
}

export const peers = {
  /** What it costs only to fetch. */
  curl: (url: string) =>
    ifThere(['curl'], (path) => peer('curl', `${path} --silent --fail --output /dev/null ${quote(url)}`)),
  dd: (image: string, disk: string) =>
    peer('dd', `dd if=${quote(image)} of=${quote(disk)} bs=1M oflag=direct conv=fsync`),
  ddRead: (disk: string, megabytes: number) =>
    peer('dd, reading', `dd if=${quote(disk)} of=/dev/null bs=1M iflag=direct count=${megabytes}`),
  dmg2img: (image: string, disk: string) =>
    ifThere(['dmg2img'], (path) =>
      peer('dmg2img', `${path} -s ${quote(image)} ${quote(disk)} && sync ${quote(disk)}`),
    ),
  qemuImg: (image: string, disk: string) =>
    ifThere(['qemu-img'], (path) =>
      peer(
        'qemu-img',
        `${path} convert -n -f dmg -O raw ${quote(image)} ${quote(disk)} && sync ${quote(disk)}`,
      ),
    ),
  sevenZip: (image: string, disk: string) =>
    ifThere(['7zz', '7z'], (path) =>
      peer('7-Zip', `${path} x -tdmg -so ${quote(image)} | ${intoDisk(disk)}`),
    ),
}
