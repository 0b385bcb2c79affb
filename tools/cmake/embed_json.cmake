# cmake -DOUT=file.cc -DFILES=a.json,b.json -P embed_json.cmake
# Writes the files as string literals, one after another, as schema/metaschemas.h declares them.
string(REPLACE "," ";" files "${FILES}")
set(text "#include \"schema/metaschemas.h\"\n\nnamespace collet::schema {\n\nconst std::string_view kMetaschemas[] = {\n")
foreach(file IN LISTS files)
  file(READ ${file} json)
  string(APPEND text "    R\"json(${json})json\",\n")
endforeach()
string(APPEND text "};\n\nconst std::size_t kMetaschemaCount = std::size(kMetaschemas);\n\n}  // namespace collet::schema\n")
file(WRITE ${OUT} "${text}")
