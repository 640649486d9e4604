import { defineConfig } from 'vite'

const server = 'http://127.0.0.1:17080'

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../fishchat/web/static',
    emptyOutDir: true,
    rollupOptions: { input: { chat: 'chat.html' } },
  },
  server: { proxy: { '/socket': { target: server, ws: true }, '/server': server } },
})
