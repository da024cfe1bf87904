/**
 * What `npm start` and `npm test` do first on a fresh clone. Runs on plain Node 20 before anything is installed, so it
 * imports nothing but Node's own modules.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const root = dirname(import.meta.dirname)

/** The Node the project runs on: the pinned one of its own devDependencies. */
export const node24 = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** Run a program in the project's folder, its output shown; ends the process with its status when it fails. */
export function run(command, argv, environment = {}) {
  const { status, error } = spawnSync(command, argv, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    shell: false,
  })
  if (error) {
    process.stderr.write(`${command}: ${error.message}\n`)
    process.exit(1)
  }
  if (status !== 0) process.exit(status ?? 1)
}

/** `npm ci`, unless what is installed is what package-lock.json says. */
export function ensureInstalled() {
  const installed = join(root, 'node_modules/.package-lock.json')
  const wanted = join(root, 'package-lock.json')
  const current =
    existsSync(installed) && existsSync(node24) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs
  if (current) return
  process.stdout.write('Installing dependencies (npm ci)…\n')
  const npm = process.env.npm_execpath
  if (npm && npm.endsWith('.js'))
    run(process.execPath, [npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
  else run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (!existsSync(node24)) {
    // The package `node` gets it in such a script; whoever turned them off decides.
    process.stderr.write(
      "The project's own Node is missing, because npm runs no install scripts here. Allow them with npm_config_ignore_scripts=false in the environment.\n",
    )
    process.exit(1)
  }
  // npm leaves the lock's own time on a node_modules that was right already.
  utimesSync(installed, new Date(), new Date())
}

/** The programs some suites drive, by the Debian package that has them. */
const debianPackages = {
  '7zz': '7zip',
  dmg2img: 'dmg2img',
  'qemu-img': 'qemu-utils',
  nbdkit: 'nbdkit',
  nginx: 'nginx-light',
  openssl: 'openssl',
  nbdfuse: 'libnbd-bin',
  fusermount3: 'fuse3',
  chromium: 'chromium',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  'mkfs.btrfs': 'btrfs-progs',
  'mkfs.vfat': 'dosfstools',
  'mkfs.exfat': 'exfatprogs',
  'mkfs.ntfs': 'ntfs-3g',
  mcopy: 'mtools',
  'mount.exfat-fuse': 'exfat-fuse',
  parted: 'parted',
  fincore: 'util-linux-extra',
  eject: 'eject',
  sfdisk: 'fdisk',
  sgdisk: 'gdisk',
  partx: 'util-linux',
  script: 'bsdutils',
  losetup: 'mount',
  udevadm: 'udev',
  bzip2: 'bzip2',
  xz: 'xz-utils',
  zstd: 'zstd',
  ip: 'iproute2',
  nft: 'nftables',
  tcpdump: 'tcpdump',
  'avahi-daemon': 'avahi-daemon',
  'avahi-browse': 'avahi-utils',
  'dbus-daemon': 'dbus-daemon',
  'udp-sender': 'udpcast',
  uftp: 'uftp',
}

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const isHere = (name) => folders.some((folder) => existsSync(join(folder, name)))
const lacking = () => Object.keys(debianPackages).filter((name) => !isHere(name))

const isDebian = () => existsSync('/etc/debian_version') && isHere('apt-get')

/**
 * Install the Debian packages that tests need when we are root on Debian; elsewhere say what is missing. Returns the
 * programs still missing: the suites that need them will skip themselves and say so.
 */
export function ensureDebianPackages() {
  if (lacking().length > 0 && isDebian() && process.getuid?.() === 0) {
    const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
    const install = (name) =>
      spawnSync('apt-get', ['install', '-y', '--no-install-recommends', name], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...quiet },
      })
    process.stdout.write(`Installing Debian packages for the tests…\n`)
    spawnSync('apt-get', ['update'], { stdio: 'ignore' })
    for (const name of new Set(lacking().map((missing) => debianPackages[missing]))) install(name)
  }
  return lacking().map((name) => ({ program: name, package: debianPackages[name] }))
}
