/// The version of Plumbline: of its commands and of the records that they write.
public let plumblineVersion = "0.1.0"
