/** What the file panel lists: the usual places, and what is in the folder. */
import { FileIcon, Folder } from 'lucide-react'
import { ListBox, ListBoxItem } from 'react-aria-components'
import { isBundle } from '#renderer/store'
import type { FolderListing } from '#shared/contract'
import { formatBytes, localTime } from '#shared/units'
import { looksLikeImage } from './image-names.ts'

export function Places({
  listing,
  onGo,
}: {
  readonly listing: FolderListing | null
  readonly onGo: (path: string) => void
}) {
  return (
    <ListBox
      className="places"
      aria-label="Places"
      selectionMode="single"
      selectedKeys={listing ? [listing.folder] : []}
      onSelectionChange={(keys) => {
        const [path] = keys === 'all' ? [] : [...keys]
        if (path !== undefined) onGo(String(path))
      }}
    >
      {(listing?.places ?? []).map((place) => (
        <ListBoxItem key={place.path} id={place.path} textValue={place.name} className="file-row">
          <Folder size={14} aria-hidden />
          <span className="ellipsis">{place.name}</span>
        </ListBoxItem>
      ))}
    </ListBox>
  )
}

interface EntriesProps {
  readonly listing: FolderListing
  readonly show: 'all' | 'images' | 'configurations' | 'folders'
  readonly chosen: string | null
  readonly onChoose: (path: string | null) => void
  readonly onTake: (path: string) => void
}

export function Entries({ listing, show, chosen, onChoose, onTake }: EntriesProps) {
  const shown = listing.entries.filter(
    (entry) =>
      show === 'all' ||
      entry.kind === 'folder' ||
      (show === 'images' && looksLikeImage(entry.name)) ||
      (show === 'configurations' && /\.plist$/i.test(entry.name)),
  )
  return (
    <>
      <ListBox
        key={listing.folder}
        className="file-entries"
        aria-label="Files"
        selectionMode="single"
        selectionBehavior="replace"
        selectedKeys={chosen === null ? [] : [chosen]}
        onSelectionChange={(keys) => {
          const [path] = keys === 'all' ? [] : [...keys]
          onChoose(path === undefined ? null : String(path))
        }}
        onAction={(key) => onTake(String(key))}
        renderEmptyState={() => (
          <p className="files-empty secondary">
            {listing.entries.length === 0 ? 'This folder is empty.' : emptyWords[show]}
          </p>
        )}
      >
        {shown.map((entry) => (
          <ListBoxItem key={entry.path} id={entry.path} textValue={entry.name} className="file-row">
            {entry.kind === 'folder' && !isBundle(entry.name) ? (
              <Folder size={14} aria-hidden />
            ) : (
              <FileIcon size={14} aria-hidden />
            )}
            <span className="file-name ellipsis">{entry.name}</span>
            {entry.kind === 'file' && <span className="file-size">{formatBytes(entry.sizeBytes)}</span>}
            <span className="file-date">{day(entry.modifiedMs)}</span>
          </ListBoxItem>
        ))}
      </ListBox>
      {listing.truncated && (
        <p className="files-empty secondary small">More files are here than are listed.</p>
      )}
    </>
  )
}

const emptyWords = {
  all: 'This folder is empty.',
  folders: 'No folders here.',
  images: 'No images here.',
  configurations: 'No property lists here.',
} as const

const day = (ms: number) => localTime(ms, { dateStyle: 'medium' })
