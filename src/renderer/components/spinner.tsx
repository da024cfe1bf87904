/** Something is being waited for. Stands still when motion is reduced. Decoration: the words beside it say what for. */
import './spinner.css'

export function Spinner({ size = 14 }: { readonly size?: 12 | 14 | 18 }) {
  return (
    <svg className="spinner" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.5" />
      <path d="M8 1.5a6.5 6.5 0 0 1 6.5 6.5" />
    </svg>
  )
}
