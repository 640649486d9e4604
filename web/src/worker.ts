/** The service worker of the page: it keeps the built files, so that the page opens without a connection. */

interface Policy {
  createScriptURL(url: string): unknown
}

interface WithTrustedTypes {
  trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy }
}

const WORKER = '/sw.js'

/** Register the worker, where the browser has any. The policy admits this one address and nothing else. */
export function registerWorker(): void {
  if (!('serviceWorker' in navigator) || !isSecureContext || import.meta.env.DEV) return
  const only = (url: string) => {
    if (url !== WORKER) throw new TypeError('only the worker of this page')
    return url
  }
  const policy = (window as WithTrustedTypes).trustedTypes?.createPolicy('fishchat', { createScriptURL: only })
  const address = policy ? policy.createScriptURL(WORKER) : WORKER
  void navigator.serviceWorker.register(address as string).catch(() => {})
}
