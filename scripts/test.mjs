/**
 * `npm test`: the set-up, the static checks, then every test this machine can run. What it can't run says so itself;
 * `npm test -- PATTERN` runs only the test files whose path contains PATTERN.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { spawn } from 'node:child_process'
import { ensureDebianPackages, ensureInstalled, node24, root, run } from './setup.mjs'

ensureInstalled()

const missing = ensureDebianPackages()
for (const { program, package: name } of missing) {
  process.stdout.write(`Not here: ${program} (Debian package ${name}). Suites that need it are skipped.\n`)
}
if (process.getuid?.() !== 0)
  process.stdout.write('Not root: suites with loop devices and mounts are skipped.\n')

const patterns = process.argv.slice(2)
const tool = (path, ...argv) => run(node24, [join(root, 'node_modules', path), ...argv])

if (patterns.length === 0) {
  tool('typescript/bin/tsc', '-b', 'tsconfig.json')
  tool(
    'oxlint/bin/oxlint',
    '-c',
    'oxlint.config.ts',
    '--type-aware',
    '--deny-warnings',
    'src',
    'test',
    'bench',
    'scripts',
  )
  tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')
  tool('knip/bin/knip.js')
}

// The window and the packaged worker are tested as they are shipped.
tool('electron-vite/bin/electron-vite.js', 'build', '--logLevel', 'warn')

/** Of a name that nobody can have laid a link at. */
const scratch = mkdtempSync(join(tmpdir(), 'reprise-tests-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const report = (name) => join(scratch, `${name}.json`)

/** One run of Vitest with these arguments. Resolves to its exit status; `output` null: to the terminal. */
const runTests = (name, argv, output) =>
  new Promise((resolve) => {
    const child = spawn(
      node24,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report(name)}`,
        ...argv,
      ],
      {
        cwd: root,
        stdio: ['inherit', output ?? 'inherit', output ?? 'inherit'],
        // It was built just now: test/support/program-entry.ts.
        env: { ...process.env, REPRISE_BUILT: '1' },
      },
    )
    child.once('error', () => resolve(1))
    child.once('exit', (status) => resolve(status ?? 1))
  })

/** Two lanes share the processors. */
const half = Math.max(1, Math.floor(availableParallelism() / 2))

/** What there is to run, the longest first. The last are parts of one project, so that nobody waits long for the other. */
const parts = [
  { name: 'system', argv: ['--project', 'system'] },
  { name: 'e2e', argv: ['--project', 'e2e'] },
  ...[1, 2, 3, 4].map((shard) => ({
    name: `fast-${shard}`,
    argv: ['--project', 'fast', `--maxWorkers=${half}`, `--shard=${shard}/4`],
  })),
]

/**
 * The window's tests mostly wait for a browser and those of the system for disks: beside each other they take half the
 * time, and who is done takes the next part. What the first prints is seen at once, that of the others when they are done.
 * Resolves to the names of the runs and their exit statuses.
 */
async function runAll() {
  const waiting = [...parts]
  const ended = []
  const lane = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift()) {
      const { name, argv } = part
      const path = join(scratch, `${name}.log`)
      const log = part === parts[0] ? undefined : openSync(path, 'w')
      try {
        ended.push({ name, status: await runTests(name, argv, log) })
        if (log !== undefined) process.stdout.write(readFileSync(path))
      } finally {
        if (log !== undefined) closeSync(log)
        rmSync(path, { force: true })
      }
    }
  }
  await Promise.all([lane(), lane()])
  return ended
}

const takeReport = (name) => {
  try {
    return JSON.parse(readFileSync(report(name), 'utf8'))
  } catch {
    return null
  } finally {
    rmSync(report(name), { force: true })
  }
}

const runs =
  patterns.length === 0 ? await runAll() : [{ name: 'some', status: await runTests('some', patterns) }]
const results = runs.map(({ name }) => takeReport(name))
const sum = (key) => results.reduce((total, result) => total + (result?.[key] ?? 0), 0)
const files = results
  .flatMap((result) => result?.testResults ?? [])
  .filter(({ status }) => status === 'failed')
  .map(({ name, assertionResults }) => ({
    path: relative(root, name),
    tests: assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  }))
const status = results.includes(null) ? 1 : Math.max(...runs.map((each) => each.status))

/**
 * Everything at once shares two processors, the network of this machine and its disks. What fails there, in a file or
 * two, is run again by itself: then it is broken, or it is unsteady. That is a bug too, and named.
 */
const mostAgain = 2
const isWorthAgain =
  status !== 0 &&
  patterns.length === 0 &&
  !results.includes(null) &&
  files.length > 0 &&
  files.length <= mostAgain
const paths = files.map(({ path }) => path)
const passesAlone = isWorthAgain && (await runTests('again', paths)) === 0
rmSync(report('again'), { force: true })

process.stdout.write(
  `\nTests: ${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed, ${sum('numPendingTests')} skipped\n`,
)
// A file without a failed test is one whose process ended in the middle of it.
for (const { path, tests } of files)
  for (const test of tests.length === 0 ? ['its process ended'] : tests)
    process.stdout.write(
      passesAlone ? `Unsteady, passed by itself: ${path}: ${test}\n` : `Failed: ${path}: ${test}\n`,
    )
if (status !== 0 && files.length === 0)
  process.stdout.write('Failed: no test, but an error that nobody caught, or a run that ended; see above\n')
process.exit(passesAlone ? 0 : status)
