/** The arrow from Source to Destination. */
export function WellArrow({ ready }: { readonly ready: boolean }) {
  return (
    <svg
      className="well-arrow"
      data-ready={ready || undefined}
      viewBox="0 0 24 24"
      width="24"
      height="24"
      aria-hidden
    >
      <path d="M12 2v18m-5.5-5.5L12 20l5.5-5.5" />
    </svg>
  )
}
