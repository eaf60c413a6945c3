/** A relay as a process of its own, so that a test can kill it: data directory and port come as words. */
import { startRelay } from '../../relay/relay.ts'

const [dataDir, port] = process.argv.slice(2)
const relay = await startRelay({
  dataDir: dataDir ?? null,
  port: Number(port ?? 0),
  version: '0.0.0',
})
if (!relay.ok) throw new Error(`${relay.error.code}: ${relay.error.detail}`)
process.stdout.write(
  `${JSON.stringify({ url: relay.value.url, multiaddrs: relay.value.multiaddrs })}\n`,
)
process.on('SIGTERM', () => void relay.value.close().then(() => process.exit(0)))
