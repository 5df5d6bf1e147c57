/// The tables of the journal. Their names begin with `polymorph_`; ASE passes them over.
extension CampaignJournal {
  /// The version of these tables; it grows when their meaning changes.
  public static let schemaVersion = 3

  static let schema: [String] = [
    "CREATE TABLE polymorph_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "INSERT INTO polymorph_meta VALUES ('schema_version', '\(schemaVersion)')",
    """
    CREATE TABLE polymorph_slots (
        slot INTEGER PRIMARY KEY, item BLOB NOT NULL, result BLOB NOT NULL)
    """,
    "CREATE TABLE polymorph_potentials (version INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    "CREATE TABLE polymorph_labels (key TEXT PRIMARY KEY, bytes BLOB NOT NULL)",
    """
    CREATE TABLE polymorph_inputs (
        position INTEGER NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB NOT NULL)
    """,
    "CREATE TABLE polymorph_timings (slot INTEGER, seconds REAL, host TEXT, rank INTEGER)",
  ]
}
