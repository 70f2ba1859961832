/** Tells systemd how the daemon is: sd_notify(3), protocol of the socket in NOTIFY_SOCKET. */
import { AF, openSocket, SOCK } from '../../drivers/linux/socket.js';

/** Does nothing when systemd did not start this process. `state`: `READY=1`, `STOPPING=1`, `STATUS=…`, lines. */
export function tellService(state: string): void {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  const address = Buffer.alloc(2 + 108);
  address.writeUInt16LE(AF.unix, 0);
  // A leading @ stands for the zero byte of the abstract namespace, unix(7).
  const length = address.write(path, 2, 'utf8');
  if (path.startsWith('@')) address[2] = 0;
  const socket = openSocket(AF.unix, SOCK.datagram, 0);
  socket.send(Buffer.from(state), address.subarray(0, 2 + length + (path.startsWith('@') ? 0 : 1)));
  socket.close();
}
