/** Copies a text and says so for a moment. */
import { useEffect, useState } from 'react'
import { Button } from './button.tsx'

interface Props {
  readonly label: string
  /** Asked for when pressed. */
  readonly text: () => string
}

export function CopyButton({ label, text }: Props) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <Button
      onPress={() => {
        navigator.clipboard.writeText(text()).then(
          () => setCopied(true),
          () => setCopied(false),
        )
      }}
    >
      {copied ? 'Copied' : label}
    </Button>
  )
}
