/** The line of the file panel that says which folder is listed; any other path can be typed over it. */
import { ChevronUp } from 'lucide-react'
import { useId } from 'react'
import { Input, TextField } from 'react-aria-components'
import { Button, Spinner } from '#renderer/components'
import type { FilesSheet } from '#renderer/store'
import { describeListing } from './text.ts'

interface PathLineProps {
  readonly sheet: FilesSheet
  readonly typed: string | null
  readonly onType: (text: string) => void
  readonly onGo: () => void
  readonly onUp: () => void
}

export function PathLine({ sheet, typed, onType, onGo, onUp }: PathLineProps) {
  const id = useId()
  const { listing, error, loading } = sheet
  return (
    <div>
      <form
        className="files-path"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          onGo()
        }}
      >
        <Button
          look="quiet"
          icon
          aria-label="Enclosing folder"
          isDisabled={(listing?.parent ?? null) === null}
          onPress={onUp}
        >
          <ChevronUp size={16} aria-hidden />
        </Button>
        <TextField
          className="files-typed"
          aria-label="Path"
          value={typed ?? listing?.folder ?? ''}
          onChange={onType}
          isInvalid={error !== null}
          autoComplete="off"
          spellCheck="false"
          {...(error ? { 'aria-describedby': id } : {})}
        >
          <Input className="text-input" onFocus={(event) => event.target.select()} />
        </TextField>
        {loading && <Spinner />}
      </form>
      {error && (
        <p id={id} role="alert" className="files-error small">
          {describeListing(error)}
        </p>
      )}
    </div>
  )
}
