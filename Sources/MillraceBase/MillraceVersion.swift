/// The version of this source tree.
public enum MillraceVersion {
    public static let text = "0.1.0"
}
