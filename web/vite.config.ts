import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { defineConfig, type Plugin } from 'vite'

/** Where the built pages go: into the Python package, which serves them. */
const OUT = '../fishchat/web/static'
const SERVER = 'http://127.0.0.1:17080'

/** Write the service worker with the files of this build in it. */
function worker(): Plugin {
  return {
    name: 'worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = Object.keys(bundle)
        .filter((name) => name.startsWith('assets/'))
        .sort()
        .map((name) => `/${name}`)
      const digest = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 16)
      const source = readFileSync('src/sw.js', 'utf8').replace('__FILES__', JSON.stringify(files)).replace('__DIGEST__', digest)
      this.emitFile({ type: 'asset', fileName: 'sw.js', source })
    },
  }
}

/** Put compressed files beside all that compress well. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg|webmanifest)$/.test(entry.name)) continue
        const path = join(entry.parentPath, entry.name)
        const body = readFileSync(path)
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 }
        writeFileSync(`${path}.br`, brotliCompressSync(body, { params }))
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [worker(), compressed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2022',
    rollupOptions: { input: { chat: 'chat.html' } },
  },
  server: { proxy: { '/socket': { target: SERVER, ws: true }, '/server': SERVER } },
})
