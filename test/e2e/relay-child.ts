/** A relay with a founder, as a process of its own, so that a test can kill it. */
import { foundSwarm } from '../../relay/found-swarm.ts'
import { startRelay } from '../../relay/relay.ts'

const [dataDir = '', port = '0', appDir = '', jobsDir = ''] = process.argv.slice(2)
const founded = foundSwarm(dataDir, 'a test swarm')
if (!founded.ok) throw new Error(`${founded.error.code}: ${founded.error.detail}`)
const { genesis, keyFile } = founded.value
const relay = await startRelay({
  dataDir,
  port: Number(port),
  genesis,
  appDir,
  jobsDir,
  version: '0.0.0',
})
if (!relay.ok) throw new Error(`${relay.error.code}: ${relay.error.detail}`)
process.stdout.write(`${JSON.stringify({ url: relay.value.url, keyFile })}\n`)
process.on('SIGTERM', () => void relay.value.close().then(() => process.exit(0)))
// The test's own process died: nobody is left to stop this one.
process.stdin.on('end', () => process.exit(0)).resume()
