#ifndef PLUMBLINE_PLATFORM_FILES_H
#define PLUMBLINE_PLATFORM_FILES_H

// What Linux offers for files and Swift's module of the C library leaves out. Each gives -1 and sets errno on failure.

/// Opens a new file in `folder` that has no name, and is gone when it is closed.
int file_open_unnamed(const char *folder);

/// The same, in memory where that cannot be, to be read and appended to by this user alone.
int file_open_scratch(const char *folder);

/// Gives the file without a name the name `path`; fails where there is something.
int file_name(int file, const char *path);

/// Locks an open file against other open files that lock it, without waiting. Unlike flock, which libhdf5 uses, and
/// unlike a lock of the process, it is let go when the last copy of this descriptor is closed.
int file_lock(int file);

#endif
