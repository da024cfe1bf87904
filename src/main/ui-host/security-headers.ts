/** What the page may do, said with every answer, in Electron and in the browser. */

/**
 * Nothing from anywhere but here, no inline script, no frames, no forms. Inline styles are needed by the component
 * library (it writes `style` attributes); they can't run anything. `connect` names the WebSocket, where there is one.
 */
export function contentSecurityPolicy({ connect }: { readonly connect: readonly string[] }): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** The headers of every answer. */
export function securityHeaders({ connect }: { readonly connect: readonly string[] }): {
  readonly [name: string]: string
} {
  return {
    'Content-Security-Policy': contentSecurityPolicy({ connect }),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), usb=()',
  }
}
