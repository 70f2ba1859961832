import { describe, expect, it } from 'vitest';
import { ClusterFileError } from '../../src/config/problem.js';
import { parseClusterFile } from '../../src/config/parse.js';

const MAC = '02:ba:73:00:00:64';

function file(web: string, mail = '', net = '', nic = 'eth0'): string {
  return `cluster: shop
key: /etc/baton/cluster.key
nets: { public: { heartbeat: public, targets: [10.77.0.254]${net} }, other: { heartbeat: private } }
nodes:
  alpha: { public: { primary: ${nic}, standby: [eth1], address: 10.77.0.1/24 }, other: { primary: eth2, address: 10.78.0.1/24 } }
  beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 }, other: { primary: eth2, address: 10.78.0.2/24 } }
quorum: { arbiter: { etcd: { endpoints: ["http://10.77.0.9:2379"] } } }
packages:
  web: { nodes: [alpha, beta], resources: [${web}] }
${mail}
`;
}

function refused(text: string): string {
  try {
    parseClusterFile(text, 'c.yaml');
    return '';
  } catch (error) {
    if (!(error instanceof ClusterFileError)) throw error;
    return error.message;
  }
}

const address = (last: number, mac: string, net = 'public'): string =>
  `{ address: 10.7${net === 'public' ? 7 : 8}.0.${last}, net: ${net}, mac: "${mac}" }`;

describe('MACs of floating addresses', () => {
  it('addresses of one package and net may share one; upper case is the same', () => {
    expect(refused(file(`${address(100, MAC)}, ${address(101, MAC.toUpperCase())}`))).toBe('');
  });

  it('must be locally administered', () => {
    expect(refused(file(address(100, '00:1b:21:00:00:64')))).toMatch(
      /resources\[0\]\.mac: 00:1b:21:00:00:64 may be some card's; expected a locally administered MAC, such as 02:1b:21/,
    );
  });

  it('must be unicast', () => {
    expect(refused(file(address(100, '03:ba:73:00:00:64')))).toMatch(/unicast MAC address/);
  });

  it('belongs to one package, and to one net', () => {
    const mail = `  mail: { nodes: [beta], resources: [${address(102, MAC)}] }`;
    expect(refused(file(address(100, MAC), mail))).toMatch(/packages\.mail.*already that of package web on net public/);
    expect(refused(file(`${address(100, MAC)}, ${address(103, MAC, 'other')}`))).toMatch(/already that of package web/);
  });

  it('no card is called as the devices are that carry them', () => {
    expect(refused(file(address(100, MAC), '', '', 'baton-01234567'))).toMatch(/a name that baton gives to its own/);
  });

  it('a net that is announced too seldom is warned of', () => {
    const warned = parseClusterFile(file(address(100, MAC), '', ', announceEvery: 10m'), 'c.yaml').warnings;
    expect(warned.map(({ text }) => text).join('\n')).toMatch(/switches forget a MAC after 300s/);
    const fine = parseClusterFile(file(address(100, MAC)), 'c.yaml').warnings;
    expect(fine.map(({ text }) => text).join('\n')).not.toMatch(/forget a MAC/);
  });

  it('a MAC that follows without a standby is warned of', () => {
    const text = file(address(100, MAC)).replace(
      'other: { heartbeat: private }',
      'other: { heartbeat: private, mac: follow }',
    );
    expect(
      parseClusterFile(text, 'c.yaml')
        .warnings.map((each) => each.text)
        .join('\n'),
    ).toMatch(/nowhere to go/);
  });
});
