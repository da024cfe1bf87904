import { describe, expect, it } from 'vitest'
import { disk, play } from './fakes.ts'

const volume = disk().volumes[0]!

describe('reprise devices', () => {
  it('lists disks with their volumes below them, and why one is protected', async () => {
    const { out, status } = await play(['devices'], {
      disks: [
        disk({
          path: '/dev/nvme0n1',
          name: 'Samsung SSD 980',
          sizeBytes: 1_000_204_886_016,
          bus: 'nvme',
          removable: false,
          protection: { kind: 'system', mountPoint: '/' },
          volumes: [
            {
              ...volume,
              path: '/dev/nvme0n1p1',
              sizeBytes: 536_870_912,
              label: null,
              partitionType: 'EFI System',
              mountPoints: ['/boot/efi'],
            },
            {
              ...volume,
              path: '/dev/nvme0n1p2',
              sizeBytes: 999_000_000_000,
              filesystem: 'ext4',
              label: 'root',
              mountPoints: ['/', '/home'],
            },
          ],
        }),
        disk(),
      ],
    })
    expect(out).toBe(
      [
        'DEVICE              SIZE  BUS   FORMAT  NAME             MOUNTED AT            NOTE\n',
        '/dev/nvme0n1        1 TB  NVMe  GPT     Samsung SSD 980                        protected: runs this computer (/)\n',
        '  /dev/nvme0n1p1  537 MB        FAT     EFI System       /boot/efi\n',
        '  /dev/nvme0n1p2  999 GB        ext4    root             /, /home\n',
        '/dev/sdb           64 GB  USB   GPT     SanDisk Ultra                          removable\n',
        '  /dev/sdb1        64 GB        FAT     UNTITLED         /media/anna/UNTITLED\n',
      ].join(''),
    )
    expect(status).toBe(0)
  })

  it('shows a disk without a partition map and its one volume as one line', async () => {
    const { out } = await play(['devices'], {
      disks: [
        disk({
          path: '/dev/loop0',
          bus: 'loop',
          name: 'fs.img',
          partitionMap: 'none',
          removable: false,
          volumes: [{ ...volume, path: '/dev/loop0', index: 0, filesystem: 'xfs', label: 'DATA' }],
        }),
      ],
    })
    expect(out.split('\n')[1]).toBe(
      '/dev/loop0  64 GB  Disk image  XFS     fs.img (DATA)  /media/anna/UNTITLED',
    )
  })

  it('aligns wide characters, and lets no escape sequence through', async () => {
    const { out } = await play(['devices'], {
      disks: [
        disk({ name: '磁盘\u001b[31m', volumes: [] }),
        disk({ name: 'plain', volumes: [], removable: false, readOnly: true, busy: true }),
      ],
    })
    expect(out.split('\n').slice(1, 3)).toEqual([
      '/dev/sdb  64 GB  USB  GPT     磁盘?[31m  removable',
      '/dev/sdb  64 GB  USB  GPT     plain      in use by a restore',
    ])
  })

  it('says when there is nothing', async () => {
    expect((await play(['devices'])).out).toBe('No disks were found.\n')
  })

  it('says plainly where restoring is not supported', async () => {
    const { status, err } = await play(['devices'], { supported: false })
    expect(status).toBe(1)
    expect(err).toBe("Restoring isn't supported on this system yet. (E_UNSUPPORTED)\n")
  })
})
