/** The part of knip's reporter options that is read here. */
interface KnipReport {
  readonly counters: { readonly processed: number };
}

/** A second knip reporter: prints how many files knip looked at, which its own reporters do not. */
function countFiles(report: KnipReport): void {
  console.log(`knip looked at ${report.counters.processed} files`);
}

// oxlint-disable-next-line import/no-default-export -- knip takes reporters by their default export
export default countFiles;
