/** What a language is known by, of those that share a script with others. */
export type Told = {
	/** ISO 639-1; several where nobody tells them apart by words. */
	codes: string;
	/** Its small words, which every text has. */
	words: string;
	/** Letters beyond the plain ones of its script. */
	letters: string;
	/** How many of its longer words end. */
	ends?: string;
};

/** Germanic and Romance languages. */
export const latin: readonly Told[] = [
	{
		codes: 'en',
		words: `the be to of and a in that have i it for not on with he as you do at this but his by from they we say her she or an will my one all
			would there their what so up out if about who get which go me when make can like time no just him know take into your some could them see
			other than then now only come its over also after use how our well way even want because any these give most us is are was were been has had
			did does doesn't don't it's i'm very more such where before through must should still while may being those each both here please let whether
			too many much why again off under down between until against without during every same own once since yet never always already cannot`,
		letters: '',
		ends: 'ing ly tion ness ght ould',
	},
	{
		codes: 'de',
		words: `der die das und in zu den ist von mit nicht sich auf für dem ein eine einen einem einer eines als auch es an werden aus er hat dass sie nach
			wird bei um am sind noch wie über so zum zur war haben nur oder aber vor bis mehr durch man sein wurde wenn kann ich du wir ihr ihm ihn mich
			dich uns mir dir euch mein meine dein ihre ihren ihrer unser wir sehr schon wieder alle alles diese dieser dieses diesem diesen jetzt dann da
			weil ob doch ja nein kein keine keinen muss müssen können soll sollte hatte waren hier was wer wo warum beim gegen ohne unter zwischen während
			nichts etwas viel viele immer bitte gibt machen habe bin bist würde könnte damit daher also`,
		letters: 'äöüß',
		ends: 'ung ungen lich lichen heit keit isch ischen schaft cht chen',
	},
	{
		codes: 'nl',
		words: `de het een van en in is dat op te zijn voor met die niet aan er om ook als dan maar bij uit nog naar door over tot wordt worden werd heeft hebben
			had was waren kan kunnen moet moeten zal zullen zou zouden wil ik je jij hij zij we wij jullie u mij me hem haar ons onze hun mijn jouw uw dit deze
			daar hier wat wie waar hoe waarom wanneer geen wel niet meer zo al alle alles veel heel zeer omdat want of dus toch nu toen weer eens iets niets
			iemand ander andere tegen tussen zonder tijdens onder onze elke ieder nooit altijd gaat gaan doen komt komen laat maakt maken graag`,
		letters: 'ëïé',
		ends: 'ijk heid ijke aar oor eren igd lijk',
	},
	{
		codes: 'af',
		words: `die van en in is het dat op te 'n nie wat vir met as aan hy ek sy ons jy hulle was word sal kan moet wees my jou haar hom hul ook maar by uit of deur
			na om oor tot nog toe so baie daar hier hierdie daardie geen meer al alle om omdat dan nou weer self se een twee`,
		letters: 'êëôûïé',
		ends: 'heid like',
	},
	{
		codes: 'fr',
		words: `le la les de des du un une et à en est que qui dans pour pas ne sur ce il au aux se par plus avec son sa ses je tu nous vous ils elle elles on
			mais ou où comme sont ont été être avoir fait faire cette ces cet leur leurs mon ma mes ton ta tes notre votre vos nos tout tous toute toutes aussi
			très bien même si sans sous entre après avant pendant depuis lorsque quand donc parce car puis encore déjà toujours jamais rien peut peuvent doit
			y était étaient avait sera serait me te lui moi toi eux cela ça quel quelle quoi dont c'est n'est d'un d'une qu'il j'ai s'il vers chez alors ainsi
			chaque plusieurs autre autres non oui merci voici suis es sommes êtes va faut`,
		letters: 'àâçéèêëîïôùûœ',
		ends: 'tion ment eux euse ique aient eau',
	},
	{
		codes: 'es',
		words: `el la los las de del y en que a un una unos unas es por con no se para su sus al lo como más pero o este esta estos estas ese esa eso esto fue ha
			han ser está están son era muy ya también hasta desde cuando donde quien si sin sobre entre todo todos toda todas porque hay me te le les nos mi mis
			tu yo él ella ellos nosotros usted ustedes qué cómo dónde mismo otro otra otros después antes durante mientras contra cada así aunque solo sólo bien
			puede pueden hacer hace tiene tienen tener había nada algo nunca siempre aquí ahora entonces vez sino según gracias debe quiero quiere sea soy estoy`,
		letters: 'áéíóúüñ',
		ends: 'ción ciones mente dad aban ieron amos',
	},
	{
		codes: 'pt',
		words: `o a os as de do da dos das e em no na nos nas que um uma uns umas é para por pelo pela pelos pelas com não se seu sua seus suas ao aos à às como mais
			mas ou este esta esse essa isso isto foi são ser está estão era muito já também até desde quando onde quem sem sobre entre todo todos toda todas porque
			há me te lhe meu minha eu ele ela eles elas nós você vocês qual mesmo outro outra outros depois antes durante enquanto contra cada assim embora só bem
			pode podem fazer faz tem têm ter tinha nada algo nunca sempre aqui agora então vez deve quer seja sou estou obrigado num numa dele dela lá`,
		letters: 'ãõáàâéêíóôúç',
		ends: 'ção ções mente dade ava aram ando inho inha agem',
	},
	{
		codes: 'gl',
		words: `o a os as de do da dos das e en no na nos nas que un unha é para por polo pola co coa con non se seu súa ao á como máis mais pero ou este esta foi son
			ser está moi xa tamén ata desde cando onde quen sen sobre entre todo todos toda porque hai me che lle eu el ela eles nós vostede mesmo outro despois
			antes durante cada así só ben pode facer fai ten ter nada sempre aquí agora entón xunta`,
		letters: 'áéíóúñ',
		ends: 'ción dade mente',
	},
	{
		codes: 'ca',
		words: `el la els les de del dels i en que a un una uns unes és per amb no es se per al als ho com més però o aquest aquesta aquests aquestes això va ha han ser
			està són era molt ja també fins des quan on qui si sense sobre entre tot tots tota totes perquè hi em et li ens us meu meva seu seva jo ell ella nosaltres
			vostè què mateix altre altra altres després abans durant mentre contra cada així només bé pot poden fer fa té tenen res mai sempre aquí ara llavors
			doncs vegada els seus ni va ser`,
		letters: 'àçéèíïóòúü',
		ends: 'ció cions ment tat aven',
	},
	{
		codes: 'it',
		words: `il lo la i gli le di del della dello dei degli delle e ed in nel nella nei nelle che un uno una è per con non si a al alla ai agli alle da dal dalla dai
			su sul sulla come più ma o questo questa questi queste quello quella fu ha hanno essere sono era molto già anche fino quando dove chi se senza sopra tra
			fra tutto tutti tutta tutte perché c'è ci mi ti vi lui lei loro noi voi io suo sua suoi mio mia nostro vostro cosa stesso altro altra altri dopo prima
			durante mentre contro ogni così solo bene può possono fare fa avere aveva niente mai sempre qui ora adesso allora volta deve devono ho hai abbiamo sia
			stato stata ne grazie ancora poi quindi dell'acqua`,
		letters: 'àèéìòù',
		ends: 'zione zioni mente ità ando ette tto tti are ere',
	},
	{
		codes: 'ro',
		words: `și în de la pe cu a al ale ai un o unei unui nu este sunt că să se din care mai pentru ce ca dar sau fi fost are au am ai prin după până când unde cine
			dacă fără despre între tot toți toate toată foarte deja acest această acești aceste acesta aceasta acel acea lui ei lor meu mea său sa noi voi eu tu el ea
			îmi îți își le îl îi te mă ne vă alt altă alte înainte timp cum așa doar bine poate pot face avea era nimic niciodată mereu aici acum atunci dată trebuie
			vrea vreau vor va voi ar aș spre asupra asta decât deoarece într-un`,
		letters: 'ăâîșțşţ',
		ends: 'ului ilor ație iei ească ându ați',
	},
	{
		codes: 'sv',
		words: `och i att det som en på är av för med den till inte om ett han har de var jag vi du hon men från sig så kan man när nu eller ut vad ska skulle efter vid
			också upp hade där mot blev blir bli vara då här alla allt mycket mig dig honom henne oss dem er min din sin sitt sina vår era detta denna dessa ingen
			inget något någon några mer mest än kommer vill måste får få göra gör gå sedan under mellan utan över bara redan alltid aldrig hur varför vilken innan
			eftersom medan genom många andra varje ju nog tack är ni hos in`,
		letters: 'åäö',
		ends: 'ning ningar ande arna erna else igt ade ligt',
	},
	{
		codes: 'da',
		words: `og i at det som en på er af for med den til ikke om et han har de var jeg vi du hun men fra sig så kan man når nu eller ud hvad skal skulle efter ved
			også op havde der mod blev bliver blive være da her alle alt meget mig dig ham hende os dem jer min din sin sit sine vores jeres dette denne disse ingen
			intet noget nogen nogle mere mest end kommer vil må får få gøre gør gå siden under mellem uden over kun allerede altid aldrig hvordan hvorfor hvilken
			før fordi mens gennem mange andre hver jo nok tak hvor hvis bare lige hvem hvornår ville kunne hos ind af været blevet`,
		letters: 'æøå',
		ends: 'ning ninger ede erne hed else igt lige',
	},
	{
		codes: 'no nb nn',
		words: `og i at det som en på er av for med den til ikke om et han har de var jeg vi du hun men fra seg så kan man når nå eller ut hva skal skulle etter ved også
			opp hadde der mot ble blir bli være da her alle alt mye meg deg ham henne oss dem dere min din sin sitt sine vår dette denne disse ingen intet noe noen mer
			mest enn kommer vil må får få gjøre gjør gå siden under mellom uten over bare allerede alltid aldri hvordan hvorfor hvilken før fordi mens gjennom mange
			andre hver jo nok takk hvor hvis hvem ville kunne hos inn vært blitt ikkje eg ein frå kva`,
		letters: 'æøå',
		ends: 'ning ninger ene het else ig lig',
	},
	{
		codes: 'is',
		words: `og að í á er sem til um við það ekki en ég þú hann hún með af fyrir var eru hefur hafa verið vera þessi þetta þess því þá þegar svo ef eða frá eftir yfir
			undir mér þér sér honum henni okkur þeir þær þau mun mjög alla allt allir nú þar hér hvað hver hvernig bara upp út inn enn já nei sinn mín þín vegna`,
		letters: 'áðéíóúýþæö',
		ends: 'inn num ður unum sins',
	},
];
