/** Copies a text and says so for a moment. */
import { useEffect, useState } from 'react'
import { Button } from './button.tsx'

interface Props {
  readonly label: string
  /** Where several stand below each other: what it copies from. */
  readonly of?: string
  /** Asked for when pressed. */
  readonly text: () => string
}

export function CopyButton({ label, of, text }: Props) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [copied])
  const words = copied ? 'Copied' : label
  return (
    <Button
      {...(of === undefined ? {} : { 'aria-label': `${words} of ${of}` })}
      onPress={() => {
        navigator.clipboard.writeText(text()).then(
          () => setCopied(true),
          () => setCopied(false),
        )
      }}
    >
      {words}
    </Button>
  )
}
