/** The part of ping 0.4 that baton uses; the package brings no types. */
declare module 'ping' {
  export interface PingAnswer {
    alive: boolean;
    /** Milliseconds as text, or `unknown`. */
    avg: string;
    /** Per cent as text. */
    packetLoss: string;
    output: string;
  }
  export interface PingSettings {
    /** Seconds for one answer. */
    timeout?: number;
    min_reply?: number;
    v6?: boolean;
    numeric?: boolean;
    extra?: string[];
  }
  const ping: { promise: { probe(host: string, settings?: PingSettings): Promise<PingAnswer> } };
  export default ping;
}
