/** What can be chosen in the sheets that make an image. Pure. */
import type { ChoiceOption } from '#renderer/components'
import { volumeName, type EngineMirror, type ImageDraft, type ViewState } from '#renderer/store'
import {
  compressionLevels,
  creatableFilesystems,
  writableFormats,
  type CreatableFilesystem,
  type WritableFormat,
} from '#shared/model'
import { formatBytes } from '#shared/units'
import { describeFormat } from '#shared/words'

/** File systems that a system's own programs make. */
export function filesystemsFor(platform: 'linux' | 'darwin' | 'win32'): readonly CreatableFilesystem[] {
  if (platform === 'linux') return creatableFilesystems
  return platform === 'darwin' ? ['hfsplus', 'vfat', 'exfat'] : []
}

/** Formats that are worth it for this: a blank disk is there to be written to, so it isn't compressed. */
export function formatOptions(work: ImageDraft['work']['kind']): readonly ChoiceOption<WritableFormat>[] {
  const formats = writableFormats.filter((format) => work !== 'blank' || !isPacked(format))
  return formats.map((format) => ({ key: format, label: describeFormat(format) }))
}

const isPacked = (format: WritableFormat) => /^(UDZO|UDBZ|ULFO|ULMO|UDCO|UDRO)$/.test(format)

/** Levels of a format whose codec has them, the usual one named; empty where it has none. */
export function levelOptions(format: WritableFormat): readonly ChoiceOption<string>[] {
  const usual = compressionLevels[format]
  if (usual === undefined) return []
  return Array.from({ length: 9 }, (_, index) => {
    const level = index + 1
    const words = level === 1 ? ' – fastest' : level === 9 ? ' – smallest' : ''
    return { key: String(level), label: `${level}${words}${level === usual ? ' (usual)' : ''}` }
  })
}

/** The disks that are shown, and their volumes; and the disk that is chosen, which may have been selected before it was hidden. */
export function deviceOptions(mirror: EngineMirror, { sheet }: ViewState): readonly ChoiceOption<string>[] {
  const showInternal = mirror.app?.preferences.showInternalDisks ?? false
  const chosen = sheet?.kind === 'make' ? sheet.draft.device?.disk.path : undefined
  return mirror.diskPaths.flatMap((path) => {
    const disk = mirror.disks[path]
    if (!disk || (disk.internal && !showInternal && path !== chosen)) return []
    return [
      {
        key: disk.path,
        label: disk.name,
        description: `${formatBytes(disk.sizeBytes)} · ${disk.path}`,
      },
      ...disk.volumes
        .filter((volume) => volume.path !== disk.path)
        .map((volume) => ({
          key: volume.path,
          label: volumeName(volume),
          indented: true as const,
          description: `${formatBytes(volume.sizeBytes)} · ${volume.path}`,
        })),
    ]
  })
}
