/// The settings as text for people: `millrace conf` and `Configuration.md`. Both come from the
/// declarations alone; a setting that is not here does not exist.
extension Conf {
    /// The whole of `Configuration.md`, as `millrace conf --markdown` prints it.
    public static func catalogMarkdown() -> String {
        var out = """
            # Configuration

            Every setting, its default, and the names under which Spark knows it.

            <!-- Written by `millrace conf --markdown`; a test compares the two. Do not edit. -->

            ## Overview

            A setting comes from the program, else from the flags of `millrace submit`, else from
            the properties file, else it has its default. Spark's names are accepted wherever
            Millrace's are. Times are written `200ms`, `10s`, `5min`, `1h`; sizes `64k`, `48m`,
            `1g`, in powers of 1024. A setting of Spark's that changes nothing here is named once
            in a warning; a key that nobody knows is an error.

            """
        for group in groups {
            out += "\n## \(group.title)\n\n| Setting | Default | Meaning |\n|---|---|---|\n"
            for entry in group.all {
                let value = entry.defaultText.isEmpty ? "(none)" : code(entry.defaultText)
                out += "| `\(entry.key)` | \(value) | \(cell(entry)) |\n"
            }
        }
        return out
    }

    /// The settings whose key or group contains the text (all for ""), three lines each.
    public static func catalogText(matching text: String = "") -> String {
        var out = ""
        let wanted = text.lowercased()
        for group in groups {
            let isWhole = wanted.isEmpty || group.title.lowercased().contains(wanted)
            let shown = group.all.filter { entry in
                isWhole
                    || ([entry.key] + sparkNames(of: entry)).contains {
                        $0.lowercased().contains(wanted)
                    }
            }
            if shown.isEmpty { continue }
            out += (out.isEmpty ? "" : "\n") + "# \(group.title)\n"
            for entry in shown {
                out += "\(entry.key)=\(entry.defaultText)\n"
                out += "    \(entry.doc)\n"
                let names = sparkNames(of: entry)
                out += "    \(entry.kindText)"
                out += names.isEmpty ? "\n" : "; Spark: \(names.joined(separator: ", "))\n"
            }
        }
        return out
    }

    private static func cell(_ entry: any AnyConfEntry) -> String {
        var text = "\(entry.doc) Type: \(entry.kindText)."
        let names = sparkNames(of: entry)
        if !names.isEmpty {
            text += " Spark: " + names.map { "`\($0)`" }.joined(separator: ", ") + "."
        }
        text += " Since \(entry.since)."
        return text.replacing("|", with: "\\|")
    }

    private static func code(_ text: String) -> String {
        "`" + text.replacing("|", with: "\\|") + "`"
    }
}
