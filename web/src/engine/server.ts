/** What the server of the page says of itself: `GET /server`. */
export interface ServerInfo {
  /** How accounts log in. */
  mode: 'open' | 'closed' | 'signup'
  /** Where to connect, the first to try first; a path is one of the page's own origin. */
  sockets: string[]
}

/** Ask the server of the page. Fails where it does not answer, or is no FishChat. */
export async function serverInfo(): Promise<ServerInfo> {
  const answer = await fetch('/server', { cache: 'no-store' })
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`)
  return (await answer.json()) as ServerInfo
}

/** Return the addresses of the sockets in full. */
export function socketsOf(info: ServerInfo): string[] {
  return info.sockets.map((socket) => {
    const address = new URL(socket, location.href)
    address.protocol = address.protocol.replace('http', 'ws')
    return address.href
  })
}
