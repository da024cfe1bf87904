/**
 * Who may import whom: one row a module, read by oxlint.config.ts, proven by test/lint, explained in ARCHITECTURE.md.
 * A row lists what is allowed. What is forbidden is the rest: every other door found in the tree, every other package
 * of package.json, Node where the row says so. So a new module is closed to everyone until a row opens it.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

interface Row {
  readonly files: string
  /** Doors it may import, as regular expressions of what follows `#`. */
  readonly may: readonly RegExp[]
  readonly node: boolean
  readonly packages: readonly string[]
}

const anyShared = /^shared\//
const react = ['react', 'react-dom', 'react-aria-components', 'lucide-react']

export const rows: readonly Row[] = [
  { files: 'src/shared/units/**', may: [], node: false, packages: [] },
  { files: 'src/shared/log/**', may: [], node: false, packages: [] },
  { files: 'src/shared/errors/**', may: [], node: false, packages: [] },
  { files: 'src/shared/model/**', may: [/^shared\/(errors|units)$/], node: false, packages: [] },
  { files: 'src/shared/words/**', may: [/^shared\/(errors|model|units)$/], node: false, packages: [] },
  { files: 'src/shared/contract/**', may: [/^shared\/(errors|model|log)$/], node: false, packages: ['zod'] },
  { files: 'src/renderer/jsx-runtime/**', may: [/^shared\/words$/], node: false, packages: ['react'] },
  { files: 'src/renderer/components/**', may: [anyShared], node: false, packages: react },
  { files: 'src/renderer/store/**', may: [anyShared], node: false, packages: ['react', 'zustand'] },
  {
    files: 'src/renderer/features/**',
    may: [anyShared, /^renderer\/(components|store)$/],
    node: false,
    packages: [...react, 'zustand'],
  },
  {
    files: 'src/renderer/app/**',
    may: [anyShared, /^renderer\//],
    node: false,
    packages: [...react, 'zustand'],
  },
  {
    files: 'src/main/engine/formats/**',
    may: [anyShared, /^engine\/formats\//, /^engine\/(block-io|web-source)$/],
    node: true,
    packages: ['plist', 'xz-decompress'],
  },
  { files: 'src/main/engine/block-io/**', may: [anyShared], node: true, packages: [] },
  {
    files: 'src/main/engine/web-source/**',
    may: [anyShared, /^engine\/block-io$/],
    node: true,
    packages: [],
  },
  { files: 'src/main/engine/threads/**', may: [anyShared], node: true, packages: [] },
  { files: 'src/main/engine/hashing/**', may: [anyShared, /^engine\/threads$/], node: true, packages: [] },
  { files: 'src/main/engine/job/**', may: [anyShared], node: true, packages: [] },
  { files: 'src/main/engine/platform/**', may: [anyShared, /^engine\/platform\//], node: true, packages: [] },
  { files: 'src/main/engine/platform/system/**', may: [anyShared], node: true, packages: [] },
  {
    files: 'src/main/engine/platform/linux/**',
    may: [anyShared, /^engine\/platform\/system$/],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/platform/darwin/**',
    may: [anyShared, /^engine\/platform\/system$/],
    node: true,
    packages: ['plist'],
  },
  {
    files: 'src/main/engine/pipeline/**',
    may: [anyShared, /^engine\/(block-io|hashing|threads|web-source|formats\/.+)$/],
    node: true,
    packages: [],
  },
  // What a stream is to whoever receives it: the one thing that copying and multicast share.
  { files: 'src/main/engine/stream-connection/**', may: [anyShared], node: false, packages: [] },
  {
    files: 'src/main/engine/copy/**',
    may: [
      anyShared,
      /^engine\/(block-io|hashing|job|platform|pipeline|stream-connection|threads|formats\/.+)$/,
    ],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/scan/**',
    may: [anyShared, /^engine\/(block-io|hashing|job|platform|pipeline|formats\/.+)$/],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/convert/**',
    may: [anyShared, /^engine\/(block-io|job|pipeline|threads|formats\/.+)$/],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/create/**',
    // Reads devices by the rules of a restore, and writes images as a conversion does.
    may: [anyShared, /^engine\/(block-io|job|platform|pipeline|copy|convert|formats\/.+)$/],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/resize/**',
    may: [anyShared, /^engine\/(block-io|job|platform|formats\/.+)$/],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/practice/**',
    may: [anyShared, /^engine\/(block-io|platform|formats\/.+)$/],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/multicast/**',
    may: [
      anyShared,
      /^engine\/(multicast\/.+|block-io|job|platform|stream-connection|threads|web-source)$/,
      /^engine\/formats\/(struct|udif|image|stored)$/,
    ],
    node: true,
    packages: ['zod'],
  },
  {
    files: 'src/main/engine/multicast/orders/**',
    may: [anyShared, /^engine\/(multicast\/sessions|block-io|formats\/stored)$/],
    node: true,
    packages: [],
  },
  {
    // What runs in a port's thread knows nothing of the server that started it.
    files: 'src/main/engine/multicast/port/**',
    may: [
      anyShared,
      /^engine\/multicast\/(fec|layout|network|orders|sender|sessions|wire)$/,
      /^engine\/(platform|threads)$/,
    ],
    node: true,
    packages: [],
  },
  {
    files: 'src/main/engine/device-stream/**',
    // Reads devices by the rules of a restore, and makes images of them for a stream.
    may: [anyShared, /^engine\/(job|platform|copy|create|scan|multicast\/server)$/],
    node: true,
    packages: [],
  },
  { files: 'src/main/stdio/**', may: [/^shared\/contract$/], node: true, packages: [] },
  { files: 'src/main/product/**', may: [], node: true, packages: [] },
  {
    files: 'src/main/engine-host/**',
    may: [anyShared, /^engine\//, /^main\/(stdio|product)$/],
    node: true,
    packages: ['zod'],
  },
  { files: 'src/main/cli/**', may: [anyShared, /^engine\//, /^main\/product$/], node: true, packages: [] },
  {
    files: 'src/main/engine-client/**',
    may: [anyShared, /^main\/(product|stdio)$/],
    node: true,
    packages: [],
  },
  { files: 'src/main/ui-host/**', may: [anyShared, /^main\/engine-client$/], node: true, packages: [] },
  {
    files: 'src/main/web/**',
    may: [anyShared, /^main\/(engine-client|product|ui-host)$/],
    node: true,
    packages: ['ws'],
  },
  {
    files: 'src/main/ipc/**',
    may: [anyShared, /^main\/(engine-client|ui-host)$/],
    node: true,
    packages: ['electron'],
  },
  {
    files: 'src/main/app/**',
    may: [anyShared, /^main\/(engine-client|ipc|product|ui-host)$/],
    node: true,
    packages: ['electron'],
  },
]

const root = dirname(import.meta.dirname)

/** Every door in the tree, as its specifier without `#`. */
const doors = globSync('src/**/index.ts', { cwd: root })
  .map((path) =>
    dirname(path).replace(
      /^src\/(main\/engine|main|renderer|shared)\//,
      (_, area: string) => `${area.replace('main/', '')}/`,
    ),
  )
  .filter((door) => door.includes('/'))

const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  dependencies: object
  devDependencies: object
}
const packages = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]

const quote = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

export interface Pattern {
  readonly regex: string
  readonly message: string
}

/** What no file of ours may write. */
const everywhere: readonly Pattern[] = [
  { regex: '^\\.\\.(/|$)', message: "Import another module through its door ('#…'), never with '..'." },
  { regex: '^#src/', message: 'Only tests look inside a module.' },
]

const forbid = (patterns: readonly Pattern[]) => ({
  'no-restricted-imports': ['error', { patterns: [...patterns] }] as ['error', { patterns: Pattern[] }],
})

/** The rule for files that no row names. */
export const baseRule = forbid(everywhere)

/** Tests look inside modules; only the way out of a folder is forbidden to them, too. */
export const testRule = forbid(everywhere.slice(0, 1))

/** An override for one row. An override replaces the rule for its files, so it says everything again. */
function layer(row: Row) {
  const message = `${row.files} may not import this: see scripts/layers.ts.`
  const closedDoors = doors.filter((door) => !row.may.some((allowed) => allowed.test(door)))
  const closedPackages = packages.filter((name) => !row.packages.includes(name))
  return {
    files: [row.files],
    rules: forbid([
      ...everywhere,
      { regex: `^#(${closedDoors.map(quote).join('|')})$`, message },
      { regex: `^(${closedPackages.map(quote).join('|')})(/|$)`, message },
      ...(row.node ? [] : [{ regex: '^node:', message }]),
    ]),
  }
}

export const layers = rows.map(layer)
