/** A program with its arguments, to be run without a shell. */
export interface TrustCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** How to make a machine trust the local authority. */
export interface TrustPlan {
  /** To be run in this order; each must succeed. */
  readonly commands: readonly TrustCommand[];
  /** False: print the commands instead, this user may not run them or the system is not known. */
  readonly canRun: boolean;
  /** What else the operator should know, one line each. */
  readonly notes: readonly string[];
}

/** The machine as far as trust stores are concerned. */
export interface TrustHost {
  /** As `process.platform`. */
  readonly platform: string;
  readonly isRoot: boolean;
  readonly homeDir: string;
  /** True when `update-ca-certificates` (Debian, Ubuntu, Alpine) is installed. */
  readonly hasUpdateCaCertificates: boolean;
  /** True when `update-ca-trust` (Fedora, RHEL) is installed. */
  readonly hasUpdateCaTrust: boolean;
}

const nodeNote = (authorityFile: string): string =>
  `Node.js does not read the system's trust store by default: export NODE_EXTRA_CA_CERTS=${quote(authorityFile)}`;

/**
 * Plans how to install a local authority into the system's trust store. Data only: nothing is run or written here.
 * Repeating the commands is harmless.
 */
export function planTrust(authorityFile: string, host: TrustHost): TrustPlan {
  const notes = [nodeNote(authorityFile)];
  switch (host.platform) {
    case "darwin":
      return {
        commands: [
          {
            program: "security",
            args: [
              "add-trusted-cert",
              "-r",
              "trustRoot",
              "-k",
              `${host.homeDir}/Library/Keychains/login.keychain-db`,
              authorityFile,
            ],
          },
        ],
        canRun: true,
        notes,
      };
    case "win32":
      return {
        commands: [{ program: "certutil", args: ["-user", "-addstore", "Root", authorityFile] }],
        canRun: true,
        notes,
      };
    default:
      return planUnixTrust(authorityFile, host);
  }
}

function planUnixTrust(authorityFile: string, host: TrustHost): TrustPlan {
  const notes = [
    nodeNote(authorityFile),
    "Chromium and Firefox on Linux keep their own stores: import the file under Settings, Certificates, Authorities.",
  ];
  const store = host.hasUpdateCaCertificates
    ? { directory: "/usr/local/share/ca-certificates", update: "update-ca-certificates" }
    : host.hasUpdateCaTrust
      ? { directory: "/etc/pki/ca-trust/source/anchors", update: "update-ca-trust" }
      : null;
  if (store === null) {
    return {
      commands: [],
      canRun: false,
      notes: [`No known trust store here; add ${authorityFile} to it by hand.`, ...notes],
    };
  }
  const commands: readonly TrustCommand[] = [
    { program: "install", args: ["-m", "0644", authorityFile, `${store.directory}/tidewire-local-authority.crt`] },
    { program: store.update, args: [] },
  ];
  if (host.isRoot) return { commands, canRun: true, notes };
  return {
    commands: commands.map(({ program, args }) => ({ program: "sudo", args: [program, ...args] })),
    canRun: false,
    notes,
  };
}

/** Writes a command as a line that a POSIX shell understands. */
export function formatTrustCommand(command: TrustCommand): string {
  return [command.program, ...command.args].map(quote).join(" ");
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
