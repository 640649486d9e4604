import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { defineConfig, type Plugin } from 'vite'

/** Where the built pages go: into the Python package, which serves them. */
const OUT = '../fishchat/web/static'
const SERVER = 'http://127.0.0.1:17080'

/** Write the service worker with the files of this build in it, and compressed files beside all that compress well. */
function finish(): Plugin {
  return {
    name: 'finish',
    apply: 'build',
    closeBundle() {
      const files = readdirSync(join(OUT, 'assets'))
        .sort()
        .map((name) => `/assets/${name}`)
      const digest = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 16)
      const worker = readFileSync('src/sw.js', 'utf8').replace('__FILES__', JSON.stringify(files)).replace('__DIGEST__', digest)
      writeFileSync(join(OUT, 'sw.js'), worker)
      for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && /\.(js|css|html|svg|webmanifest)$/.test(entry.name)) compress(join(entry.parentPath, entry.name))
      }
    },
  }
}

function compress(path: string): void {
  const body = readFileSync(path)
  writeFileSync(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
  writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }))
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [finish()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2022',
    rollupOptions: { input: { chat: 'chat.html' } },
  },
  server: { proxy: { '/socket': { target: SERVER, ws: true }, '/server': SERVER } },
})
