/// The tables of `ase.db`, version 9, as ASE 3.22.1 creates them; versions up to at least 3.24 read them.
extension ASEDatabase {
  /// The version that the table `information` bears.
  static let schemaVersion = "9"

  /// The statements that make an empty database, word for word those whose result ASE leaves.
  static let schema: [String] = [
    """
    CREATE TABLE systems (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- ID's, timestamps and user name
        unique_id TEXT UNIQUE,
        ctime REAL,
        mtime REAL,
        username TEXT,
        numbers BLOB,  -- stuff that defines an Atoms object
        positions BLOB,
        cell BLOB,
        pbc INTEGER,
        initial_magmoms BLOB,
        initial_charges BLOB,
        masses BLOB,
        tags BLOB,
        momenta BLOB,
        constraints TEXT,  -- constraints and calculator
        calculator TEXT,
        calculator_parameters TEXT,
        energy REAL,  -- calculated properties
        free_energy REAL,
        forces BLOB,
        stress BLOB,
        dipole BLOB,
        magmoms BLOB,
        magmom REAL,
        charges BLOB,
        key_value_pairs TEXT,  -- key-value pairs and data as json
        data BLOB,
        natoms INTEGER,  -- stuff for making queries faster
        fmax REAL,
        smax REAL,
        volume REAL,
        mass REAL,
        charge REAL)
    """,
    "CREATE TABLE species (Z INTEGER, n INTEGER, id INTEGER, FOREIGN KEY (id) REFERENCES systems(id))",
    "CREATE TABLE keys (key TEXT, id INTEGER, FOREIGN KEY (id) REFERENCES systems(id))",
    """
    CREATE TABLE text_key_values (key TEXT, value TEXT, id INTEGER,
        FOREIGN KEY (id) REFERENCES systems(id))
    """,
    """
    CREATE TABLE number_key_values (key TEXT, value REAL, id INTEGER,
        FOREIGN KEY (id) REFERENCES systems(id))
    """,
    "CREATE TABLE information (name TEXT, value TEXT)",
    "INSERT INTO information VALUES ('version', '\(schemaVersion)')",
    "CREATE INDEX unique_id_index ON systems(unique_id)",
    "CREATE INDEX ctime_index ON systems(ctime)",
    "CREATE INDEX username_index ON systems(username)",
    "CREATE INDEX calculator_index ON systems(calculator)",
    "CREATE INDEX species_index ON species(Z)",
    "CREATE INDEX key_index ON keys(key)",
    "CREATE INDEX text_index ON text_key_values(key)",
    "CREATE INDEX number_index ON number_key_values(key)",
  ]

  /// Keys that ASE reserves for itself (ase.db.core, version 3.22.1), besides the element symbols.
  static let reservedKeys: Set<String> = [
    "energy", "forces", "stress", "stresses", "dipole", "charges", "magmom", "magmoms",
    "free_energy", "energies", "positions", "numbers", "cell", "pbc", "initial_charges",
    "initial_magmoms", "id", "unique_id", "ctime", "mtime", "user", "fmax", "smax", "momenta",
    "constraints", "natoms", "formula", "age", "calculator", "calculator_parameters",
    "key_value_pairs", "data", "external_tables", "dielectric_tensor", "born_effective_charges",
    "polarization",
  ]
}
