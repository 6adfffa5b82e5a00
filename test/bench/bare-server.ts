// The yardstick: node:http that writes the same headers and does nothing else.
import { createServer } from 'node:http'

const headers = JSON.parse(process.argv[2] ?? '[]') as string[]
const server = createServer({ keepAliveTimeout: 75_000 }, (_, outgoing) => {
  outgoing.writeHead(200, headers)
  outgoing.end()
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`)
})
process.on('SIGTERM', () => server.close(() => process.exit(0)))
